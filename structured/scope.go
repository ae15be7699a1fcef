package structured

import (
	"context"
	"sync"
	"time"
)

// A Scope is a part of a task with a cancellation of its own, which ends with
// it: what the part returns because of that cancellation does not leave it.
// [MoveOnAfter], [MoveOnAt], [FailAfter], [FailAt] and [Shield] make one and
// give it to the function they run. Its methods may be called at any time,
// also concurrently and after the scope's end.
type Scope struct {
	outer   context.Context
	ctx     context.Context // canceled with outer, or by cancel
	cancel  context.CancelCauseFunc
	timeout *TimeoutError // of this scope and no other

	mu       sync.Mutex
	deadline time.Time // zero is none
	timer    *time.Timer
	timerNo  int // tells the timer that counts from those before it
	called   bool
	caught   bool
	over     bool
}

// A TimeoutError is the cause in a [Scope] whose deadline passed, and what
// FailAfter, FailAt and Shield return then. Each scope has its own, so that
// one scope's timeout is never taken for another's. It is
// context.DeadlineExceeded.
type TimeoutError struct {
	Deadline time.Time // the one that passed
}

func (e *TimeoutError) Error() string { return "scope deadline exceeded" }

// Is reports whether target is context.DeadlineExceeded.
func (e *TimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// Timeout returns true, as net.Error has it.
func (e *TimeoutError) Timeout() bool { return true }

// MoveOnAfter runs f under a context that is canceled after d, and goes on
// without an error when f returns because of that: caught is true then, and
// in no other case. Errors of f's own are returned, without the echoes of the
// scope's cancellation that f joined to them.
//
// With d at zero or below, the context is canceled from the beginning. A
// scope canceled by [Scope.Cancel] is caught just as well. When ctx is done
// too, nothing is caught, and the error is that of ctx.
func MoveOnAfter(ctx context.Context, d time.Duration, f func(ctx context.Context, s *Scope) error) (caught bool, err error) {
	return MoveOnAt(ctx, time.Now().Add(d), f)
}

// MoveOnAt is [MoveOnAfter] with a time of day. The zero time is no deadline:
// the scope is there to be canceled, or to be given one later.
func MoveOnAt(ctx context.Context, deadline time.Time, f func(ctx context.Context, s *Scope) error) (caught bool, err error) {
	s := newScope("MoveOnAt", ctx, deadline, f)
	err = s.run(f)
	return s.Caught(), err
}

// FailAfter is [MoveOnAfter] for which the timeout is an error: when f returns
// because its context was canceled after d, the error is a [*TimeoutError].
// What decides is that cancellation, not the clock: an f that takes longer
// and succeeds has succeeded, and a scope canceled by [Scope.Cancel] before
// its deadline returns nil however late.
func FailAfter(ctx context.Context, d time.Duration, f func(ctx context.Context, s *Scope) error) error {
	return FailAt(ctx, time.Now().Add(d), f)
}

// FailAt is [FailAfter] with a time of day. The zero time is no deadline.
func FailAt(ctx context.Context, deadline time.Time, f func(ctx context.Context, s *Scope) error) error {
	s := newScope("FailAt", ctx, deadline, f)
	err := s.run(f)
	if s.Caught() && context.Cause(s.ctx) == error(s.timeout) {
		return s.timeout
	}
	return err
}

// Shield runs f under a context that has the values of ctx but neither its
// cancellation nor its deadline, for at most d: it is [FailAfter] for clean-up
// that has to be done although ctx is done. Afterwards ctx is as done as it
// was. Tasks that f starts in a group of outside do not inherit the shield.
func Shield(ctx context.Context, d time.Duration, f func(ctx context.Context, s *Scope) error) error {
	if ctx == nil {
		panic("structured: Shield: nil ctx")
	}
	return FailAfter(context.WithoutCancel(ctx), d, f)
}

func newScope(name string, ctx context.Context, deadline time.Time, f func(context.Context, *Scope) error) *Scope {
	if ctx == nil {
		panic("structured: " + name + ": nil ctx")
	}
	if f == nil {
		panic("structured: " + name + ": nil function")
	}
	s := &Scope{outer: ctx, timeout: &TimeoutError{}}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.SetDeadline(deadline)
	return s
}

func (s *Scope) run(f func(context.Context, *Scope) error) error {
	defer s.close()
	err := f(scopeContext{s.ctx, s}, s)
	if err == nil {
		return nil
	}
	return s.settle(err)
}

// settle decides what becomes of f's error.
func (s *Scope) settle(err error) error {
	if s.ctx.Err() == nil {
		return err
	}
	left := echoesOf(s.ctx).strip(err)
	if left != nil {
		return left
	}
	if s.outer.Err() != nil {
		return canceled(s.outer)
	}
	s.mu.Lock()
	s.caught = true
	s.mu.Unlock()
	return nil
}

// close releases what the scope holds. Its context ends with it.
func (s *Scope) close() {
	s.mu.Lock()
	s.over = true
	s.stopTimer()
	s.mu.Unlock()
	s.cancel(context.Canceled)
}

// SetDeadline moves the scope's deadline, in either direction; the zero time
// takes it away. A time that has passed cancels the scope at once. A scope
// that is canceled or at its end stays so.
//
// A context.WithTimeout that was made inside, while the scope's deadline was
// the earlier of the two, has no timer of its own and is canceled with the
// scope alone, also when the scope's deadline is moved behind it. A Scope
// inside has its timer in any case.
func (s *Scope) SetDeadline(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.called {
		return
	}
	s.stopTimer()
	s.deadline = t
	if t.IsZero() {
		return
	}
	left := time.Until(t)
	if left <= 0 {
		s.expire()
		return
	}
	no := s.timerNo
	s.timer = time.AfterFunc(left, func() { s.fire(no) })
}

// Deadline returns the scope's own deadline, if it has one. What holds for f
// is the deadline of its context: the earlier of this and of what is around.
func (s *Scope) Deadline() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deadline, !s.deadline.IsZero()
}

// Cancel cancels the scope, with reason as the cause that is seen inside; nil
// means context.Canceled. The first cancellation is the one that counts.
func (s *Scope) Cancel(reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.called {
		return
	}
	s.called = true
	s.stopTimer()
	s.cancel(reason)
}

// CancelCalled reports whether the scope was canceled, by its deadline or by
// Cancel, whatever came of it.
func (s *Scope) CancelCalled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.called
}

// Caught reports whether the scope has ended because of its own cancellation.
// It is false if the function did not notice, had an error of its own, or was
// canceled from outside as well.
func (s *Scope) Caught() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.caught
}

func (s *Scope) fire(no int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if no == s.timerNo && !s.over && !s.called {
		s.expire()
	}
}

// expire and stopTimer are called with s.mu held.

func (s *Scope) expire() {
	s.called = true
	s.timeout.Deadline = s.deadline
	s.cancel(s.timeout)
}

func (s *Scope) stopTimer() {
	s.timerNo++
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}

// A scopeContext is the scope's context with the deadline as it stands.
type scopeContext struct {
	context.Context
	s *Scope
}

func (c scopeContext) Deadline() (time.Time, bool) {
	outer, ok := c.Context.Deadline()
	own, has := c.s.Deadline()
	if has && (!ok || own.Before(outer)) {
		return own, true
	}
	return outer, ok
}
