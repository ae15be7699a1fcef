package structured

import (
	"context"
	"time"
)

// Config is how a group runs. The zero Config is what [Run] uses.
type Config struct {
	// Name is what the group adds to the paths of its tasks, between the task
	// that it runs in and its own. Empty means nothing.
	Name string

	// Limit is how many tasks may run at the same time; [Group.Go] waits for
	// room. Services do not count. A task has its place until it ends, so
	// tasks that start others in their own group may all wait for room that
	// only they could make: give the others a group of their own. Zero means
	// no limit; a negative limit panics.
	Limit int

	// CapturePanics turns a panic of a task or of the body into a
	// [*PanicError], which fails the group as any error does. By default a
	// panic ends the program; see [Group.Go] for why.
	CapturePanics bool

	// Trace records where each task was started, for [Tasks] and [Dump],
	// gives its goroutine the pprof label task=path, and makes it a region of
	// runtime/trace. It costs more than starting the task does.
	Trace bool

	// OnOverdue, if not nil, is called when tasks of the group are still
	// running Grace after they were canceled, with those tasks. It is called
	// from a goroutine of its own, at most once for the group's cancellation
	// and then once for that of its services, and the group's end waits for
	// it. To find a task's stack its goroutine is asked for its number at the
	// start, which costs more than starting it does.
	OnOverdue func(overdue []Overdue)

	// Grace is how long a canceled task may take to end. Zero means 10 s.
	// It has no meaning without OnOverdue, and panics then.
	Grace time.Duration
}

const defaultGrace = 10 * time.Second

// Run runs body in a new group, and returns when body and every task of the
// group have ended.
//
// The first of them that returns an error cancels the context of all, with a
// [*TaskError] made for that failure as the cause. What the others return
// because of that cancellation is dropped: that very cause, and anything that
// is context.Canceled. Every other error is returned, all of them joined by
// errors.Join, each task's wrapped in a [*TaskError] with its path. Errors
// that a task joined itself are returned as one each.
//
// When ctx is what was done and nobody had an error of their own, Run returns
// an error that is both context.Cause(ctx) and ctx.Err(); or nil, if everybody
// succeeded all the same. A group canceled by [Group.Cancel] returns nil.
//
// A panic in body is not caught: Run cancels the tasks and waits for them
// while it passes through, so that whoever recovers it finds none left
// behind. The same goes for runtime.Goexit.
func Run(ctx context.Context, body func(ctx context.Context, g *Group) error) error {
	return Config{}.Run(ctx, body)
}

// Run is [Run] with the settings of c.
func (c Config) Run(ctx context.Context, body func(ctx context.Context, g *Group) error) error {
	if ctx == nil {
		panic("structured: Run: nil ctx")
	}
	if body == nil {
		panic("structured: Run: nil body")
	}
	c.check()
	return newGroup(ctx, c).run(body)
}

func (c Config) check() {
	switch {
	case c.Limit < 0:
		panic("structured: Config.Limit is negative: use zero for no limit")
	case c.Grace < 0:
		panic("structured: Config.Grace is negative: leave OnOverdue nil for no report")
	case c.Grace > 0 && c.OnOverdue == nil:
		panic("structured: Config.Grace without OnOverdue: set OnOverdue to learn which tasks are overdue")
	}
}
