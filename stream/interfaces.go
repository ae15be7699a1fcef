package stream

import (
	"context"

	"github.com/strata-go/strata/attr"
)

// A Resource has attributes and is closed once it is no longer needed.
type Resource interface {
	attr.Provider

	// Close ends both directions and releases everything, also when a
	// farewell to the peer fails. It wakes every blocked call with
	// net.ErrClosed, never waits for the peer, may be called from any
	// goroutine and again. See line 5 of the contract.
	Close() error
}

// A ByteReceiver is the receiving direction of a stream of bytes.
type ByteReceiver interface {
	Resource

	// Receive waits for bytes and puts them into p. It returns n > 0 with a
	// nil error, or 0 with an error: io.EOF when the peer ended its direction.
	// A canceled Receive has taken nothing. See line 2 of the contract.
	Receive(ctx context.Context, p []byte) (n int, err error)
}

// A ByteSender is the sending direction of a stream of bytes.
type ByteSender interface {
	Resource

	// Send hands all of p to the layer below, or returns an error and how
	// much of p it took. A canceled Send is resumed with p[n:]. See line 3 of
	// the contract.
	Send(ctx context.Context, p []byte) (n int, err error)
}

// A ByteStream carries bytes both ways. One goroutine may receive while
// another sends.
type ByteStream interface {
	ByteReceiver
	ByteSender

	// SendEOF ends the sending direction once everything sent before it is on
	// its way, and leaves the receiving direction open. It may be called
	// again. Where a transport has no such thing it is
	// errors.ErrUnsupported. See line 4 of the contract.
	SendEOF(ctx context.Context) error
}

// An ObjectReceiver is the receiving direction of a stream of items.
type ObjectReceiver[T any] interface {
	Resource

	// Receive waits for an item, which belongs to the caller for good. The
	// error is io.EOF when the peer ended its direction. A canceled Receive
	// has taken nothing.
	Receive(ctx context.Context) (T, error)
}

// An ObjectSender is the sending direction of a stream of items.
type ObjectSender[T any] interface {
	Resource

	// Send hands item over. After nil, what item refers to belongs to the
	// receiver, unless the stream says that it copies.
	Send(ctx context.Context, item T) error
}

// An ObjectStream carries items both ways, in order, and loses none.
type ObjectStream[T any] interface {
	ObjectReceiver[T]
	ObjectSender[T]

	// SendEOF ends the sending direction, as [ByteStream] says.
	SendEOF(ctx context.Context) error
}

// A PacketStream carries items both ways, and may lose or reorder them. It
// has no end of stream. Several goroutines may send at once.
type PacketStream[T any] interface {
	ObjectReceiver[T]
	ObjectSender[T]
}

// A Listener accepts streams of type S. Several goroutines may accept at
// once. Its Close leaves accepted streams alone.
type Listener[S any] interface {
	Resource

	// Accept waits for the next stream. A canceled Accept has taken none.
	Accept(ctx context.Context) (S, error)
}

// A Connector makes streams of type S to a place that it knows. It may be
// used by several goroutines at once, and any number of times.
type Connector[S any] interface {
	Connect(ctx context.Context) (S, error)
}
