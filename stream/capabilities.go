package stream

import (
	"context"
	"errors"
)

// The optional capabilities of streams. Each has a helper of the same name,
// which callers use: a stream without the method and one whose method
// returns errors.ErrUnsupported mean the same to it.
type (
	// A ReceiveWaiter can wait without a buffer. See [WaitReceive].
	ReceiveWaiter interface {
		WaitReceive(ctx context.Context) error
	}

	// A BuffersSender can send several buffers at once. See [SendBuffers].
	BuffersSender interface {
		SendBuffers(ctx context.Context, bufs [][]byte) (n int64, err error)
	}

	// A TrySender can send without waiting. See [TrySend].
	TrySender interface {
		TrySend(p []byte) (n int, err error)
	}

	// A Shutdowner has a graceful end of its own. Its Shutdown leaves the
	// stream closed, as [Shutdown] does.
	Shutdowner interface {
		Shutdown(ctx context.Context) error
	}

	// An Aborter can end without a goodbye. See [Abort].
	Aborter interface {
		Abort(cause error) error
	}
)

// WaitReceive waits until s.Receive would not block, and takes nothing, so
// that a reader need not hold a buffer while it waits. After nil Receive
// returns at once, be it bytes, the end or a failure. An error is that of the
// call itself (canceled, busy, closed), or the end or failure that Receive
// would return.
//
// It belongs to the receiving direction. There is no substitute for it: where
// s cannot wait, the error is errors.ErrUnsupported.
func WaitReceive(ctx context.Context, s ByteReceiver) error {
	if w, ok := s.(ReceiveWaiter); ok {
		return w.WaitReceive(ctx)
	}
	return errors.ErrUnsupported
}

// SendBuffers sends bufs in order and returns how many of their bytes s took,
// with one system call where s can (writev), else with a Send for each. It
// does not change bufs. It belongs to the sending direction, and n and the
// error mean what they mean to Send; without any bufs it is the Send of an
// empty p.
func SendBuffers(ctx context.Context, s ByteSender, bufs [][]byte) (int64, error) {
	if b, ok := s.(BuffersSender); ok {
		if n, err := b.SendBuffers(ctx, bufs); !unsupported(n, err) {
			return n, err
		}
	}
	if len(bufs) == 0 {
		bufs = [][]byte{nil}
	}
	var sent int64
	for _, p := range bufs {
		n, err := s.Send(ctx, p)
		sent += int64(n)
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// TrySend sends what s takes without waiting. The error is [ErrWouldBlock]
// when that is less than all of p, and errors.ErrUnsupported where s cannot
// tell. It belongs to the sending direction.
func TrySend(s ByteSender, p []byte) (int, error) {
	if t, ok := s.(TrySender); ok {
		return t.TrySend(p)
	}
	return 0, errors.ErrUnsupported
}

// Shutdown ends s gracefully: by its own Shutdown where it has one, else by
// SendEOF and by receiving until the peer ends its direction too, discarding
// what still comes. Then it closes s, always: also when ctx is done, and when
// s cannot half-close, which is errors.ErrUnsupported. Errors are joined.
//
// It belongs to the sending direction, and where s has no Shutdown of its own
// to the receiving one too. A stream of items is ended gracefully by its
// SendEOF, by receiving until io.EOF, and by its Close.
func Shutdown(ctx context.Context, s ByteStream) error {
	err := farewell(ctx, s)
	return errors.Join(err, s.Close())
}

func farewell(ctx context.Context, s ByteStream) error {
	if own, ok := s.(Shutdowner); ok {
		if err := own.Shutdown(ctx); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	if err := s.SendEOF(ctx); err != nil {
		return err
	}
	_, err := Copy(ctx, discard{}, s)
	return err
}

// discard takes all that is sent to it. It is for Copy alone.
type discard struct{ ByteSender }

func (discard) Send(_ context.Context, p []byte) (int, error) { return len(p), nil }

// Abort ends s without a goodbye, so that its peer sees [ErrBroken] rather
// than a clean end: a reset on TCP, no close_notify on TLS. Where s has no
// such thing it is Close. Blocked calls wake with net.ErrClosed. The cause
// is for layers that can tell it to the peer or to their own callers; it may
// be nil.
func Abort(s Resource, cause error) error {
	if a, ok := s.(Aborter); ok {
		if err := a.Abort(cause); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	return s.Close()
}

// unsupported tells a missing capability from one that failed on its way.
func unsupported(n int64, err error) bool {
	return n == 0 && errors.Is(err, errors.ErrUnsupported)
}
