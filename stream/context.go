package stream

import (
	"context"
	"errors"
)

// ContextError returns the error of a call that ended because ctx is done,
// or nil while ctx is not. The error is both context.Cause(ctx) and
// ctx.Err() to errors.Is and errors.As, and its Timeout method tells whether
// a deadline passed, as net.Error's does: that of ctx, or the one that its
// cause tells of, as the cause of structured.FailAfter does.
func ContextError(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	return &contextError{err: err, cause: context.Cause(ctx)}
}

type contextError struct {
	err   error // context.Canceled or context.DeadlineExceeded
	cause error
}

func (e *contextError) Error() string {
	if errors.Is(e.cause, e.err) {
		return e.cause.Error()
	}
	return e.err.Error() + ": " + e.cause.Error()
}

func (e *contextError) Unwrap() []error { return []error{e.cause, e.err} }

func (e *contextError) Timeout() bool { return errors.Is(e, context.DeadlineExceeded) }
