package stream

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/structured"
)

// direction is one direction of a stream: who is in it, and whether this side
// has closed it.
type direction struct {
	guard  structured.Guard
	closed atomic.Bool
}

// enter answers in the order of the contract, line 1. After nil the caller
// must leave.
func (d *direction) enter(ctx context.Context) error {
	if err := ContextError(ctx); err != nil {
		return err
	}
	if d.closed.Load() {
		return net.ErrClosed
	}
	return d.guard.Enter()
}

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
