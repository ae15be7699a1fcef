package structured

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Start runs f as a task of g, as [Group.Go] does, and waits until f calls
// ready with a value, which it returns: the address that a server listens on,
// the connection that a client made. f goes on as a task.
//
// Until ready is called, f is the caller's affair: it runs under ctx, and its
// failure is an error of this Start alone, as a [*TaskError]. From then on it
// is the group's: it runs under the group's context, and its failure fails
// the group. That f returns without calling ready is an error. When ctx is
// done first, Start waits for f to end, whether or not it still calls ready,
// and returns the cancellation or what else f returned.
//
// The values of f's context are the group's, and it ends with f. In a group with a limit, Start
// waits for room until ctx or the group is canceled.
//
// A second call of ready panics. So does Start when the group has ended, when
// name is empty, or when ctx or f is nil.
func Start[V any](ctx context.Context, g *Group, name string, f func(ctx context.Context, ready func(V)) error) (V, error) {
	var value V
	if ctx == nil {
		panic("structured: Start: nil ctx")
	}
	g.checkTask("Start", name, f == nil)
	s := &starter{caller: ctx, group: g.ctx, ended: make(chan error, 1), settled: make(chan struct{})}
	err := g.startUnder(s, name, func(ctx context.Context) error {
		return f(ctx, func(v V) {
			s.ready(func() { value = v })
		})
	})
	if err == nil {
		err = s.wait()
	}
	if err != nil {
		var zero V
		return zero, err
	}
	return value, nil
}

var errNotReady = errors.New("task returned without calling ready")

// A starter is the context of a task that is being started, and what its
// Start waits for.
type starter struct {
	context.Context // has the group's values, and is canceled as follows
	cancel          context.CancelCauseFunc
	caller, group   context.Context
	ended           chan error    // the error of a task that ended before it was ready
	settled         chan struct{} // closed by ready

	mu       sync.Mutex
	isReady  bool // ready was called in time
	called   bool
	over     bool // the task has ended, or its Start was canceled
	unfollow func() bool
	info     *more
}

// startUnder starts f under s.
func (g *Group) startUnder(s *starter, name string, f func(context.Context) error) error {
	if g.room != nil {
		if err := g.waitForRoomOf(s.caller, "Start"); err != nil {
			return err
		}
	}
	s.Context, s.cancel = context.WithCancelCause(context.WithoutCancel(g.ctx))
	t := &task{g: g, name: name, f: f, more: &more{ctx: s}}
	t.more.end = func(err error) error { return s.end(t, err) }
	t.more.starting.Store(true)
	s.info = t.more
	s.mu.Lock()
	s.unfollow = context.AfterFunc(s.caller, s.abandon)
	s.mu.Unlock()
	g.start(t, "Start")
	return nil
}

// waitForRoomOf waits until ctx or the group is canceled.
func (g *Group) waitForRoomOf(ctx context.Context, method string) error {
	both, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(g.ctx, func() { cancel(context.Cause(g.ctx)) })
	defer stop()
	return g.waitForRoom(both, method)
}

// ready makes the task the group's. A call that comes when nobody waits any
// more has no effect.
func (s *starter) ready(keep func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.called {
		panic("structured: Start: ready called twice: call it once")
	}
	s.called = true
	if s.over || !s.unfollow() {
		return
	}
	keep()
	s.isReady = true
	s.info.starting.Store(false)
	s.unfollow = context.AfterFunc(s.group, func() { s.cancel(context.Cause(s.group)) })
	close(s.settled)
}

// abandon runs when the caller's context is done before the task is ready.
func (s *starter) abandon() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.cancel(context.Cause(s.caller))
}

// wait returns when the task is ready or has ended.
func (s *starter) wait() error {
	select {
	case <-s.settled:
		return nil
	case err := <-s.ended:
		return err
	}
}

// end tells the task's error to whom it belongs: Start or the group. The
// task's context ends then, since after this it follows nobody.
func (s *starter) end(t *task, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.unfollow()
	switch {
	case !s.isReady:
		s.ended <- s.failure(t, err)
	case err != nil: // before its context ends, or it might count as an echo of that
		t.g.fail(t, err)
	}
	s.cancel(errDone)
	return nil
}

// failure returns what Start returns for a task that is not the group's.
func (s *starter) failure(t *task, err error) error {
	left := echoesOf(s.caller).strip(err)
	if left == nil && s.caller.Err() != nil {
		return canceled(s.caller)
	}
	if left == nil {
		left = errNotReady
	}
	return join(t.named(left))
}

// Deadline is that of the context which s follows.
func (s *starter) Deadline() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isReady {
		return s.group.Deadline()
	}
	return s.caller.Deadline()
}
