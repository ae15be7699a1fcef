package buffered

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// enter answers for the calls that cannot be served, in the order of the
// contract's line 1, and else lets the caller in. It looks at closed last,
// so that nobody comes in behind a Detach.
func enter(ctx context.Context, guard *structured.Guard, closed *atomic.Bool) error {
	if ctx.Err() != nil {
		return stream.ContextError(ctx)
	}
	err := guard.Enter()
	if !closed.Load() {
		return err
	}
	if err == nil {
		guard.Leave()
	}
	return net.ErrClosed
}

// endSending ends what s sends: by its SendEOF, or, where s only sends, by its
// Close.
func endSending(ctx context.Context, s stream.ByteSender) error {
	if e, ok := s.(interface{ SendEOF(context.Context) error }); ok {
		return e.SendEOF(ctx)
	}
	return s.Close()
}
