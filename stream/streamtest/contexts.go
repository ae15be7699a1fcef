package streamtest

import (
	"context"
	"errors"
	"time"
)

// errCustom is the cause of the cancellations that checks make.
var errCustom = errors.New("the cause of this cancellation")

// doneContext returns a context that was canceled for errCustom.
func doneContext() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errCustom)
	return ctx
}

// expiredContext returns a context whose deadline is past.
func expiredContext() context.Context {
	ctx, cancel := context.WithDeadline(context.Background(), time.Unix(1, 0))
	cancel()
	return ctx
}
