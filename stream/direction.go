package stream

import (
	"context"
	"net"
	"sync/atomic"

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

func (d *direction) close() { d.closed.Store(true) }

// endSending ends what s sends: by its SendEOF where it has one, else by its
// Close, which for something that only sends is the same.
func endSending(ctx context.Context, s Resource) error {
	if e, ok := s.(interface{ SendEOF(context.Context) error }); ok {
		return e.SendEOF(ctx)
	}
	return s.Close()
}
