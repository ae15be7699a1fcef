// Package stream defines what every stream of the module is, and the tools
// that work on all of them.
//
// A [ByteStream] carries bytes both ways; it is a [ByteReceiver] and a
// [ByteSender]. An [ObjectStream] carries items instead, a [PacketStream]
// items that may be lost. A [Listener] accepts streams and a [Connector]
// makes them. All of them carry attributes (package attr), and every call
// that may block takes a context.
//
// # The contract
//
// Implementations hold these lines, callers may rely on them, and package
// streamtest checks them.
//
// 0. Arguments first. Receive with an empty buffer is [ErrEmptyBuffer] in
// any state. The context of Dial, Listen, WrapClient and their like covers
// that call only, never the life of what it returns.
//
// 1. Which answer, when several apply. (a) The context is done: its
// [ContextError], and no side effect, even if the call could have been served
// at once. (b) This side closed the stream: net.ErrClosed, also when the
// stream is broken, at its end, or still holds received bytes. (c) Send after
// this side's SendEOF: net.ErrClosed. (d) Another call uses this direction:
// [ErrBusy] at once. (e) Data, or room for it. (f) io.EOF or [ErrBroken],
// from then on always. Receive and WaitReceive belong to the receiving
// direction, with the receiving calls of buffered and text; Send,
// SendBuffers, SendEOF and Shutdown belong to the sending direction. A
// direction is free again once its call returned. ErrBusy, the end and
// ErrBroken bind byte streams and the object streams made of them. Object
// streams in memory serve any number of callers first come first served.
// Packet sends and Accept may be called by several goroutines. Packet streams
// are never broken: an error such as ECONNREFUSED or EMSGSIZE is returned once
// and the stream lives on.
//
// 2. Receive returns n > 0 and nil, or 0 and an error; never 0 and nil. What
// came before the end or a failure is returned before it. A canceled Receive
// has taken nothing: bytes that arrive at that moment are returned by this
// call or by the next.
//
// 3. Send takes all of p, or returns an error. nil means that p, and whatever
// earlier calls left, was handed to the layer below. Layers that encode, as
// TLS does, may return n == len(p) with an error: all was taken, and its tail
// goes first next time. Send of an empty p flushes that tail, and is otherwise
// without effect. A canceled Send is resumed with p[n:]. Each stream says what
// a canceled Send leaves behind.
//
// 4. SendEOF ends this side's direction only, after everything sent before
// it. Again after success it is nil; after a cancellation the next call
// finishes it; after Close it is net.ErrClosed, during a Send ErrBusy.
// Receiving goes on. A transport that cannot do it returns
// errors.ErrUnsupported, which has no effect.
//
// 5. Close ends both directions, is idempotent and safe from any goroutine,
// wakes every blocked call with net.ErrClosed and releases everything even
// when a farewell fails. It never waits for the peer: a farewell is offered
// only if no Send is under way, for at most 100 ms. When Close has returned,
// the address can be bound again. [Shutdown] is the graceful end, [Abort] the
// one without a goodbye.
//
// 6. Broken belongs to the connection. A failure that either direction meets
// breaks both: the other returns what is still readable and then the same
// [*BrokenError], never io.EOF.
//
// 7. A wrapper owns what it wraps. Close closes it, and so does a constructor
// that fails.
//
// 8. Memory. Receive and Send use p until they return. What an object
// stream's Receive returns is the caller's for good; a []byte inside an item
// belongs to the receiver once Send returned nil, unless the stream says that
// it copies. Methods that return a view say so: it holds until the next
// receiving call.
//
// 9. Errors are the standard library's wherever it has one. Facts travel in
// structs with Unwrap.
//
// # Capabilities
//
// What only some streams can do are interfaces of one method with a helper
// of the same name: [WaitReceive], [SendBuffers], [TrySend], [Shutdown] and
// [Abort]. Wrappers of one's own embed [Wrapper] to keep them.
//
// # Concurrency
//
// On a byte stream one goroutine may receive while another sends, and any
// may close. To let several take turns, use a mutex, or package memory's
// object streams.
package stream
