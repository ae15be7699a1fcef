package structured

import (
	"context"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

// A task is all there is to a task: its place in the list of its group, and
// the context that it runs under, which is the group's but knows the task.
type task struct {
	g    *Group
	name string
	f    func(context.Context) error

	next   *task  // in the group's list, under its lock
	groups *Group // the first of those that run in this task, likewise
	began  int64  // how long after the group, in ns; negative once the task has ended
	more   *more
}

func (t *task) ended() bool     { return atomic.LoadInt64(&t.began) < 0 }
func (t *task) isService() bool { return t.more != nil && t.more.service }

// more is what few tasks need.
type more struct {
	service   bool
	ctx       context.Context       // in place of the group's
	end       func(err error) error // sees the error and returns the group's share of it
	starting  atomic.Bool           // by Start, until it is ready
	site      uintptr               // where it was started, with Trace
	goroutine uint64                // with OnOverdue
}

func (t *task) run() {
	defer t.endUnreturned()
	// A function between this one and f would be a frame that every task that
	// waits has on its stack.
	if f, g := t.f, t.g; g.cfg.Trace || g.cfg.CapturePanics || g.watch != nil {
		t.end(t.callWith(f))
	} else {
		t.end(f(t))
	}
}

// endUnreturned ends a task whose function did not return.
func (t *task) endUnreturned() {
	if t.ended() || panicking() {
		return // the group must not go on while the program dies
	}
	t.end(errGoexit)
}

func (t *task) callWith(f func(context.Context) error) error {
	if t.g.watch != nil {
		t.g.mu.Lock()
		t.more.goroutine = goroutineID()
		t.g.mu.Unlock()
	}
	call := func() error { return f(t) }
	if t.g.cfg.Trace {
		call = func() error { return t.traced(f) }
	}
	if t.g.cfg.CapturePanics {
		return capture(call)
	}
	return call()
}

// end takes t out of its group. Whoever learns of the end, from a handle or
// from Start, does not find it in the tree any more.
func (t *task) end(err error) {
	g := t.g
	t.f = nil // which the list would keep alive
	atomic.StoreInt64(&t.began, -1)
	if t.more != nil && t.more.end != nil {
		err = t.more.end(err)
	}
	if err != nil {
		g.fail(t, err)
	}
	if t.isService() {
		g.endService()
		return
	}
	if g.room != nil {
		g.room.Release()
	}
	g.subtract()
}

// path returns the names of the tasks and groups that t runs in, and its own.
func (t *task) path() string {
	var names []string
	for t != nil {
		if t.name != "" {
			names = append(names, t.name)
		}
		if t.g.cfg.Name != "" {
			names = append(names, t.g.cfg.Name)
		}
		t = t.g.up
	}
	var b strings.Builder
	for i := len(names) - 1; i >= 0; i-- {
		b.WriteString(names[i])
		if i > 0 {
			b.WriteByte('/')
		}
	}
	return b.String()
}

// named returns the errors that err joins, each as one of t. What a group
// inside of t has named already is left as it is.
func (t *task) named(err error) []error {
	path := t.path()
	errs := parts(err)
	for i, err := range errs {
		e, ok := err.(*TaskError)
		if !ok || e.Path != path && !strings.HasPrefix(e.Path, path+"/") {
			errs[i] = &TaskError{Path: path, Err: err}
		}
	}
	return errs
}

// capture returns f's error, or its panic as one.
func capture(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

// panicking tells, in a deferred call of a function that did not return,
// whether a panic is the reason or runtime.Goexit. To ask recover would stop
// the panic, and what goes on after that is not the same panic.
func panicking() bool {
	var pcs [16]uintptr
	for skip := 2; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs[:])
		for _, pc := range pcs[:n] {
			switch f := runtime.FuncForPC(pc - 1); {
			case f == nil:
			case f.Name() == "runtime.gopanic":
				return true
			case f.Name() == "runtime.Goexit":
				return false
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}

// The context of the task.

func (t *task) inner() context.Context {
	if t.more != nil && t.more.ctx != nil {
		return t.more.ctx
	}
	return t.g.ctx
}

func (t *task) Deadline() (time.Time, bool) { return t.inner().Deadline() }
func (t *task) Done() <-chan struct{}       { return t.inner().Done() }
func (t *task) Err() error                  { return t.inner().Err() }

func (t *task) Value(key any) any {
	if key == (taskKey{}) {
		return t
	}
	return t.inner().Value(key)
}

// String keeps a printed context from reading the fields of a running task.
func (t *task) String() string { return "structured.Task(" + t.path() + ")" }

type taskKey struct{}

// taskOf returns the task that runs under ctx, or nil.
func taskOf(ctx context.Context) *task {
	t, _ := ctx.Value(taskKey{}).(*task)
	return t
}
