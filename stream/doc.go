// Package stream defines what every stream of the module is, and the tools
// that work on all of them.
//
// A [ByteStream] carries bytes both ways; it is a [ByteReceiver] and a
// [ByteSender]. An [ObjectStream] carries items instead, a [PacketStream]
// items that may be lost. A [Listener] accepts streams and a [Connector]
// makes them. All have attributes (package attr), and every call that may
// block takes a context:
//
//	n, err := s.Receive(ctx, p)
//	if err == io.EOF {
//		return nil // the peer has said all it had to say
//	} else if err != nil {
//		return err
//	}
//	_, err = s.Send(ctx, p[:n])
//
// [Copy] moves bytes from one stream to another, [Chunks] and [Items] range
// over what one receives. [Staple] and [StapleObjects] make one stream of two
// directions, [FromObjects] and [ToObjects] turn items into bytes and back,
// [NewReader] and [NewWriter] serve code that wants package io. Transports,
// TLS and buffers are in packages of their own, and so are tests for
// streams: package streamtest.
//
// # The contract
//
// Implementations hold these lines, callers may rely on them, and package
// streamtest checks them.
//
// 0. Arguments first. Receive with an empty buffer is [ErrEmptyBuffer] in
// any state. Constructors without an error result panic on a nil argument,
// the others return an error. The context of Dial, Listen, WrapClient and
// their like covers that call only, never the life of what it returns.
//
// 1. Which answer, when several apply. (a) The context is done: its
// [ContextError], and no side effect, even if the call could have been served
// at once. (b) This side closed the stream: net.ErrClosed, also when the
// stream is broken, at its end, or still holds received bytes. (c) Send after
// this side's SendEOF: net.ErrClosed. (d) Another call uses this direction:
// [ErrBusy] at once, and that call is unharmed. (e) Data, or room for it. (f)
// io.EOF or [ErrBroken], from then on always. Receive and WaitReceive belong
// to the receiving direction, with the receiving calls of buffered and text;
// Send, SendBuffers, TrySend, SendEOF and Shutdown belong to the sending
// direction. A direction is free again once its call returned. ErrBusy, the
// end and ErrBroken bind byte streams and the object streams made of them.
// Object streams in memory serve any number of callers, first come first
// served. Packet sends and Accept may be called by several goroutines, which
// take turns. Packet streams have no end and are never broken: an error such
// as ECONNREFUSED or EMSGSIZE is returned once and the stream lives on.
//
// 2. Receive returns n > 0 and nil, or 0 and an error; never 0 and nil. What
// came before the end or a failure is returned before it. A canceled Receive
// has taken nothing: bytes that arrive at that moment are returned by this
// call or by the next.
//
// 3. Send takes all of p, or returns an error. nil means that p, and whatever
// earlier calls left, was handed to the layer below. Layers that encode, as
// TLS does, may return n == len(p) with an error: all was taken, and its tail
// goes first next time. Send of an empty p flushes that tail, and otherwise
// only answers as line 1 says. A canceled Send is resumed with p[n:]. Each
// stream says what a canceled Send leaves behind.
//
// 4. SendEOF ends this side's direction only, after everything sent before
// it. Again after success it is nil; after a cancellation the next call
// finishes it; after Close it is net.ErrClosed, during a Send ErrBusy.
// Receiving goes on. Where a transport cannot do it, it is
// errors.ErrUnsupported and has no effect.
//
// 5. Close ends both directions, is idempotent and safe from any goroutine,
// wakes every blocked call with net.ErrClosed and releases everything even
// when a farewell fails. It never waits for the peer: a farewell is offered
// only if no Send is under way and none has left a tail, for at most 100 ms.
// When Close has returned, the address can be bound again. [Shutdown] is the
// graceful end, [Abort] the one without a goodbye; both leave the stream
// closed.
//
// 6. Broken belongs to the connection. A failure that either direction meets
// breaks both: the other returns what is still readable and then the same
// [*BrokenError], never io.EOF. Who passes on the bytes of a stream that broke
// aborts where they went: a Close would fake a clean end.
//
// 7. A wrapper owns what it wraps. Close closes it, and so does a constructor
// that fails. Only those that take a descriptor leave one alone that is not
// what they need.
//
// 8. Memory. Receive and Send use p until they return. What an object
// stream's Receive returns is the caller's for good; a []byte inside an item
// belongs to the receiver once Send returned nil, unless the stream says that
// it copies. Methods that return a view say so: it holds until the next
// receiving call.
//
// 9. Errors are the standard library's wherever it has one: io.EOF,
// io.ErrUnexpectedEOF, net.ErrClosed, os.ErrDeadlineExceeded,
// errors.ErrUnsupported. A context that is done is a [ContextError]. Facts
// travel in structs with Unwrap.
//
// # Capabilities
//
// What only some streams can do are interfaces of one method with a helper
// of the same name: [WaitReceive], [SendBuffers], [TrySend], [Shutdown] and
// [Abort]. Call the helpers: to them a method that returns
// errors.ErrUnsupported and no method at all are the same. Wrappers of one's
// own embed [Wrapper] to keep the capabilities, and hold line 1 with [Enter].
//
// # Concurrency
//
// On a byte stream one goroutine may receive while another sends, and any
// may close. To let several take turns, use a mutex, or package memory's
// object streams.
package stream
