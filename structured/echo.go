package structured

import (
	"context"
	"errors"
	"reflect"
)

// An echo is an error that only repeats a cancellation: what a call returns
// because its context is done. Told apart are
//
//   - the cause and the Err of a context that is done, by identity, so that a
//     task's own io.EOF is kept even if a sibling's io.EOF was the cause;
//   - anything that is context.Canceled once a context is done, since calls of
//     the standard library return that whatever the cause.
type echoes struct {
	ctxs []context.Context // those that are done
}

func echoesOf(ctxs ...context.Context) echoes {
	var e echoes
	for _, ctx := range ctxs {
		if ctx.Err() != nil {
			e.ctxs = append(e.ctxs, ctx)
		}
	}
	return e
}

// strip returns what is left of err without its echoes, nil if nothing is.
// Errors joined by errors.Join are taken apart. An error that wraps several in
// another way is an echo as soon as one of them is, as it is for errors.Is.
func (e echoes) strip(err error) error {
	if err == nil || len(e.ctxs) == 0 {
		return err
	}
	if e.is(err) {
		return nil
	}
	switch x := err.(type) {
	case *TaskError:
		return e.stripTask(x)
	case interface{ Unwrap() []error }:
		if isJoin(err) {
			return e.stripJoin(x.Unwrap())
		}
		return e.stripWhole(err, x.Unwrap())
	case interface{ Unwrap() error }:
		if inner := x.Unwrap(); inner != nil && e.strip(inner) == nil {
			return nil
		}
	}
	return err
}

func (e echoes) stripTask(err *TaskError) error {
	left := e.strip(err.Err)
	if left == nil {
		return nil
	}
	if !isJoin(err.Err) {
		return err // nothing could be taken out of it
	}
	return &TaskError{Path: err.Path, Err: left}
}

func (e echoes) stripJoin(parts []error) error {
	var left []error
	for _, part := range parts {
		if part = e.strip(part); part != nil {
			left = append(left, part)
		}
	}
	return join(left)
}

func (e echoes) stripWhole(err error, parts []error) error {
	for _, part := range parts {
		if part != nil && e.strip(part) == nil {
			return nil
		}
	}
	return err
}

// is tells about err itself, not about what it wraps.
func (e echoes) is(err error) bool {
	if same(err, context.Canceled) {
		return true
	}
	if x, ok := err.(interface{ Is(error) bool }); ok && x.Is(context.Canceled) {
		return true
	}
	for _, ctx := range e.ctxs {
		if same(err, ctx.Err()) || same(err, context.Cause(ctx)) {
			return true
		}
	}
	return false
}

// same is a == b, and false where that would panic.
func same(a, b error) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

var joinType = reflect.TypeOf(errors.Join(errDone))

func isJoin(err error) bool { return reflect.TypeOf(err) == joinType }

// join is errors.Join that leaves a single error alone.
func join(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// parts returns the errors that err joins, at any depth, or err alone.
func parts(err error) []error {
	if err == nil || !isJoin(err) {
		return []error{err}
	}
	var all []error
	for _, part := range err.(interface{ Unwrap() []error }).Unwrap() {
		all = append(all, parts(part)...)
	}
	return all
}
