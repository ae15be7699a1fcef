// Package buffered receives exact counts and delimited pieces from a byte
// stream, and turns byte streams into streams of frames.
//
// A [Stream] is a stream.ByteStream around another that may read ahead, and
// so can wait for a delimiter ([Receiver.ReceiveUntil], [Receiver.Until]), look at
// bytes without taking them ([Receiver.Peek]), and take bytes back
// ([Receiver.Feed]). A [Receiver] is its receiving half alone. A [Connector]
// makes Streams.
//
//	s := buffered.New(conn, nil)
//	line, err := s.ReceiveUntil(ctx, []byte("\r\n"), 512)
//
// [Frames] makes a stream of messages: a [Codec] such as [LengthPrefixed] or
// [Delimited] says where one ends and the next begins.
//
// # What is read ahead
//
// Receive and ReceiveExactly ask the wrapped stream for no more than the
// caller asked for. ReceiveUntil, Until and Peek ask for what
// Config.ReadAhead says. Bytes that nobody has taken yet are counted by
// [Receiver.Buffered] and by the attribute stream.Unread; [Stream.Detach] hands
// them over together with the wrapped stream.
//
// # Cancellation
//
// A canceled receiving call leaves everything it received in the buffer,
// where the next call finds it. A canceled Send leaves behind what the
// wrapped stream's does.
//
// # Ownership
//
// A Stream owns what it wraps: Close closes it. ReceiveUntil, Until and Peek
// return views of the buffer, which hold until the next receiving call.
//
// # Memory
//
// The buffer comes from a pool when bytes are to be put into it and goes back
// when the next receiving call finds it empty, so a stream that waits holds
// none, where the wrapped stream can wait without one (stream.WaitReceive).
// It grows with the bytes that arrive, never with the number asked for; what is
// read ahead is at most 64 KiB, and that only while the stream fills it.
package buffered
