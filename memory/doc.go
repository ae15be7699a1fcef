// Package memory connects two ends inside one process, for tests and for
// plumbing.
//
// [New] makes a stream of items with any number of senders and receivers: a
// channel whose calls take a context, whose ends can be cloned and closed one
// by one, and which says how it is doing. [ObjectPipe] connects two ends that
// both send and receive items.
//
// [Pipe] makes two connected byte streams, each a [Conn]. A [Listener] accepts
// such connections and, as a connector, makes them.
//
// Nothing here does system calls or starts goroutines. Calls wait on channels,
// so that everything built on these streams can run in a testing/synctest
// bubble, in fake time.
//
// # In tests
//
// What speaks over a [stream.ByteStream] is tested over a Pipe, in a bubble,
// where a timeout of an hour takes no time and a hang is found at once:
//
//	synctest.Test(t, func(t *testing.T) {
//		client, server := memory.Pipe(nil)
//		defer server.Close() // a server that never answers
//		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
//		defer cancel()
//		_, err := ask(ctx, client, "what time is it?")
//		if !errors.Is(err, context.DeadlineExceeded) {
//			t.Error(err)
//		}
//	})
//
// The wrappers of package streamtest make an end of it slow, fragmented or
// mortal.
//
// # Cancellation
//
// A call whose context is done when it starts has no effect. An item is
// received by somebody or still in the stream, whatever is canceled when: a
// canceled Receive has taken nothing, and a canceled Send of an item has sent
// nothing. A canceled Send on a [Conn] returns how many bytes the pipe took.
//
// # Ownership
//
// Items are handed over as they are. What an item refers to belongs to the
// receiver once Send returned nil. A [Conn] copies bytes and keeps no buffer
// of the caller's.
package memory
