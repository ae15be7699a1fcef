package structured

import (
	"context"
	"errors"
	"fmt"
)

// ErrBusy reports that somebody else is doing what only one caller may do at
// a time: a second Receive on a stream, a second Accept, a [Guard] entered
// twice. The first caller is unharmed, and the second may try again once the
// first is done.
var ErrBusy = errors.New("resource busy: another call is in progress")

// A TaskError reports that a task of a group failed. It is also the cause
// with which the group then cancels the others.
type TaskError struct {
	// Path names the task and those it runs in, outermost first:
	// "server/accept" is the task accept of a group that task server runs.
	Path string

	// Err is what the task returned.
	Err error
}

func (e *TaskError) Error() string {
	if e.Path == "" {
		return e.Err.Error() // a group's body, outside of any task
	}
	return e.Path + ": " + e.Err.Error()
}

// Unwrap returns what the task returned.
func (e *TaskError) Unwrap() error { return e.Err }

// A PanicError is what became of a panic under [Config].CapturePanics.
type PanicError struct {
	Value any    // what panic was called with
	Stack []byte // the panicking goroutine's stack, as debug.Stack formats it
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n\n%s", e.Value, e.Stack) }

// Unwrap returns the value of the panic if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

var (
	errGoexit = errors.New("task ended by runtime.Goexit")

	// errBody is the cause that tasks see when the body did not return.
	errBody = errors.New("the body of the group ended by a panic or runtime.Goexit")

	// errDone is the cause that a service sees once it is no longer needed,
	// and every context of a group after the group's end.
	errDone = fmt.Errorf("the other tasks of the group are done: %w", context.Canceled)
)

// canceled returns the error of a call that ended because ctx is done, or
// nil while it is not. As package stream's ContextError, it is both the cause
// and ctx.Err().
func canceled(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	return &contextError{err: err, cause: context.Cause(ctx)}
}

type contextError struct {
	err   error
	cause error
}

func (e *contextError) Error() string {
	if errors.Is(e.cause, e.err) {
		return e.cause.Error()
	}
	return e.err.Error() + ": " + e.cause.Error()
}

func (e *contextError) Unwrap() []error { return []error{e.cause, e.err} }

// Timeout reports whether a deadline passed: the context's, or a [Scope]'s.
func (e *contextError) Timeout() bool {
	return errors.Is(e.err, context.DeadlineExceeded) || errors.Is(e.cause, context.DeadlineExceeded)
}
