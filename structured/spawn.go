package structured

import (
	"context"
	"errors"
	"sync"
)

// A Task is the handle of a task with a result. [Spawn] makes it. Its methods
// may be called at any time, also after the group has ended, and
// concurrently.
type Task[T any] struct {
	name   string
	cancel context.CancelCauseFunc
	ctx    context.Context
	done   chan struct{}
	apart  bool   // a failure is not the group's
	ended  func() // called at the end, if not nil

	mu     sync.Mutex
	status Status
	value  T
	err    error
}

// ErrRunning is the error of [Task.Result] while there is no result yet.
var ErrRunning = errors.New("task still running")

// Spawn runs f as a task of g, as [Group.Go] does, and returns a handle on
// it. The task's context is the group's, and canceled by [Task.Cancel] too.
// In a group with a limit Spawn waits for room; if the group is canceled
// meanwhile, f is never run and the task is canceled from the beginning.
func Spawn[T any](g *Group, name string, f func(ctx context.Context) (T, error)) *Task[T] {
	g.checkTask("Spawn", name, f == nil)
	s := newTask[T](g, name)
	if g.room != nil {
		if err := g.waitForRoom(g.ctx, "Spawn"); err != nil {
			var zero T
			s.settle(Canceled, zero, err)
			return s
		}
	}
	s.start(g, f)
	return s
}

func newTask[T any](g *Group, name string) *Task[T] {
	s := &Task[T]{name: name, done: make(chan struct{}), status: Running}
	s.ctx, s.cancel = context.WithCancelCause(g.ctx)
	return s
}

func (s *Task[T]) start(g *Group, f func(ctx context.Context) (T, error)) {
	var value T
	t := &task{g: g, name: s.name, more: &more{ctx: s.ctx}}
	t.f = func(ctx context.Context) (err error) {
		value, err = f(ctx)
		return err
	}
	t.more.end = func(err error) error {
		s.end(t, value, err)
		return nil
	}
	g.start(t, "Spawn")
}

// end settles the handle, after it told the group, so that whoever sees the
// end of a task that failed sees the group canceled.
func (s *Task[T]) end(t *task, value T, err error) {
	if err == nil {
		s.settle(Done, value, nil)
		return
	}
	status := Failed
	if left := t.g.echoes(t).strip(err); left == nil {
		status = Canceled
		err = canceled(s.ctx)
	} else {
		err = join(t.named(left))
	}
	if !s.apart {
		t.g.fail(t, err)
	}
	var zero T
	s.settle(status, zero, err)
}

func (s *Task[T]) settle(status Status, value T, err error) {
	s.mu.Lock()
	s.status, s.value, s.err = status, value, err
	s.mu.Unlock()
	s.cancel(errDone)
	close(s.done)
	if s.ended != nil {
		s.ended()
	}
}

// Name returns the name given to [Spawn].
func (s *Task[T]) Name() string { return s.name }

// Done returns a channel that is closed when the task has ended.
func (s *Task[T]) Done() <-chan struct{} { return s.done }

// Wait waits until the task has ended and returns [Task.Result]. A canceled
// Wait leaves the task alone; a canceled task does not cancel who waits.
func (s *Task[T]) Wait(ctx context.Context) (T, error) {
	if err := canceled(ctx); err != nil {
		var zero T
		return zero, err
	}
	select {
	case <-s.done:
		return s.Result()
	case <-ctx.Done():
		var zero T
		return zero, canceled(ctx)
	}
}

// Result returns what the task returned: its value, or its error as a
// [*TaskError] (several, joined, if it joined several), or for a canceled task an error that is both the cause and
// context.Canceled. While the task runs the error is [ErrRunning].
func (s *Task[T]) Result() (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status == Running {
		return s.value, ErrRunning
	}
	return s.value, s.err
}

// Cancel cancels the context of this task alone, with cause as the cause; nil
// means context.Canceled. What the task returns because of it is not an error
// of the group. Cancel does not wait. After the task's end it has no effect.
func (s *Task[T]) Cancel(cause error) { s.cancel(cause) }

// Status returns whether the task is [Running], [Canceling] after its context
// was canceled, or how it ended: [Done], [Failed] or [Canceled].
func (s *Task[T]) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status == Running && s.ctx.Err() != nil {
		return Canceling
	}
	return s.status
}
