package stream

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/structured"
)

// Enter lets a call into one direction of a stream, or answers for it in the
// order of the contract's line 1: with the [ContextError] of a ctx that is
// done, with net.ErrClosed once closed is set, with [ErrBusy] while another
// call is inside. After nil the call must leave by guard.Leave. It is for
// streams of one's own, which need a guard for each direction and one flag
// that their Close sets.
//
// A call that is inside may set closed itself, and still nobody comes in
// behind it.
func Enter(ctx context.Context, guard *structured.Guard, closed *atomic.Bool) error {
	if ctx.Err() != nil {
		return ContextError(ctx)
	}
	err := guard.Enter()
	if !closed.Load() { // last, see above
		return err
	}
	if err == nil {
		guard.Leave()
	}
	return net.ErrClosed
}

// direction is one direction of a stream: who is in it, and whether this side
// has closed it.
type direction struct {
	guard  structured.Guard
	closed atomic.Bool
}

func (d *direction) enter(ctx context.Context) error { return Enter(ctx, &d.guard, &d.closed) }

func (d *direction) leave() { d.guard.Leave() }

// half is a layer over one direction of a stream: what all the adapters
// between bytes and objects have in common.
type half[S Resource] struct {
	direction
	inner S
}

// Attributes are those of the stream below.
func (h *half[S]) Attributes() *attr.Set { return h.inner.Attributes() }

// Close closes the stream below.
func (h *half[S]) Close() error {
	h.closed.Store(true)
	return h.inner.Close()
}

// Abort aborts the stream below, see [Abort].
func (h *half[S]) Abort(cause error) error {
	h.closed.Store(true)
	return Abort(h.inner, cause)
}

// need panics when v is nil; name says whose parameter it is.
func need(v any, name string) {
	if v == nil {
		panic("stream: " + name)
	}
}

// endSending ends what s sends: by its SendEOF where it has one, else by its
// Close, which for something that only sends is the same.
func endSending(ctx context.Context, s Resource) error {
	if e, ok := s.(interface{ SendEOF(context.Context) error }); ok {
		return e.SendEOF(ctx)
	}
	return s.Close()
}
