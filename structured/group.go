package structured

import (
	"context"
	"sync"
	"sync/atomic"
)

// A Group is a set of tasks that end together. [Run] makes one and gives it
// to its body; the body and the tasks, and whoever else is sure that the group
// still runs, may call its methods at any time, also concurrently.
type Group struct {
	ctx    context.Context // of body and tasks
	cancel context.CancelCauseFunc
	outer  context.Context // given to Run

	// live is how many ordinary tasks run or wait for room, once run has
	// added those that were started before it waits. Who makes it zero wakes
	// run.
	live atomic.Int64

	cfg   Config     // keeps the cache lines of live and mu apart
	room  *Semaphore // nil without a limit
	watch *watch     // nil without OnOverdue

	// up is the task that runs the group, nil if there is none, and next and
	// prev are up's other groups, or the others without an up.
	up         *task
	next, prev *Group

	mu       sync.Mutex
	wake     sync.Cond // of run, on mu
	state    groupState
	echoed   bool
	started  int64 // ordinary tasks, until run waits
	body     task  // the caller of Run; the first of the list of tasks
	last     *task // of the list
	listed   int   // tasks in the list, also some that have ended
	sweepAt  int   // the length at which those are taken out
	clock    clock
	services *serviceGroup // nil until there is one
	errs     []error
}

type groupState uint8

const (
	notRunning groupState = iota // never was, or no longer
	inBody
	waiting // for its tasks
)

type serviceGroup struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	running int
	stopped bool
}

func newGroup(ctx context.Context, cfg Config) *Group {
	g := &Group{outer: ctx, cfg: cfg, state: inBody}
	g.clock.start()
	g.wake.L = &g.mu
	g.ctx, g.cancel = context.WithCancelCause(ctx)
	g.body = task{g: g}
	if cfg.Trace || cfg.OnOverdue != nil {
		g.body.prepare()
	}
	g.last, g.listed, g.sweepAt = &g.body, 1, minSweep
	if cfg.Limit > 0 {
		g.room = NewSemaphore(cfg.Limit, cfg.Limit)
	}
	if cfg.OnOverdue != nil {
		g.watch = newWatch(g)
	}
	return g
}

// Go runs f as a task in a goroutine of its own, under the group's context,
// whoever calls. An error that f returns cancels the group; see [Run]. The
// name is for errors and listings and need not be unique.
//
// In a group with a limit Go waits for room until the group is canceled. Then
// it returns false and f is never run. In all other cases Go returns true and
// f is run, also in a group that was canceled before, where the first thing
// that f waits for fails.
//
// Go panics when the group has ended: nobody would wait for f. It also panics
// when name is empty or f nil.
//
// A panic of f ends the program, as everywhere in Go, with the stack of f.
// Passing it to the caller of Run instead would delay it until every other
// task has ended, which with the panic's cause at large may be never, and
// would hide it behind a stack that is not the task's; a recovered panic also
// leaves locked what f had locked. It is not recovered even for a moment.
// Programs that cannot die set [Config].CapturePanics.
//
// A task that calls runtime.Goexit, as t.FailNow does, fails with an error.
func (g *Group) Go(name string, f func(ctx context.Context) error) bool {
	g.checkTask("Group.Go", name, f == nil)
	if g.room != nil && g.waitForRoom(g.ctx, "Group.Go") != nil {
		return false
	}
	g.start(&task{g: g, name: name, f: f}, "Group.Go")
	return true
}

// GoService runs f as a task that serves the others: a logger, a metrics
// reporter, a keep-alive. The body and the other tasks do not wait for it. It
// is canceled only after they have all ended, also in a group that is
// canceled, so they can rely on it to their end. In all else it is as
// [Group.Go]; it does not count towards the limit.
func (g *Group) GoService(name string, f func(ctx context.Context) error) {
	g.checkTask("Group.GoService", name, f == nil)
	t := &task{g: g, name: name, f: f, more: &more{service: true}}
	t.more.ctx = g.serviceContext()
	g.start(t, "Group.GoService")
}

// Cancel cancels the body and the tasks, with cause as the cause that they
// see; nil means context.Canceled. Tasks started later see it too. What they
// return because of it is not an error of the group. The first cancellation
// is the one that counts.
func (g *Group) Cancel(cause error) {
	g.check("Group.Cancel")
	g.cancel(cause)
}

func (g *Group) check(method string) {
	if g == nil || g.ctx == nil {
		panic("structured: " + method + " on a group that Run did not make: use the one that Run passes to its body")
	}
}

// checkTask is small enough to cost a task nothing.
func (g *Group) checkTask(method, name string, noFunc bool) {
	if g == nil || g.ctx == nil || name == "" || noFunc {
		g.complain(method, name)
	}
}

func (g *Group) complain(method, name string) {
	g.check(method)
	if name == "" {
		panic("structured: " + method + ": empty name")
	}
	panic("structured: " + method + ": nil function")
}

// waitForRoom waits for a place under the limit. It counts the task already,
// so that the group cannot end in the meantime.
func (g *Group) waitForRoom(ctx context.Context, method string) error {
	g.mu.Lock()
	if g.state == notRunning {
		g.refuse(method)
	}
	g.add()
	g.mu.Unlock()
	if g.room.TryAcquire() {
		return nil
	}
	err := g.room.Acquire(ctx)
	if err != nil {
		g.subtract()
	}
	return err
}

// start adds t to the list and lets it run.
func (g *Group) start(t *task, method string) {
	if g.cfg.Trace || g.watch != nil {
		t.prepare()
	}
	g.mu.Lock()
	if g.state == notRunning {
		g.refuse(method)
	}
	switch {
	case t.isService():
		g.services.running++
	case g.room == nil: // else it is counted since it waited for room
		g.add()
	}
	if g.listed++; g.listed >= g.sweepAt {
		g.sweep()
	}
	if !g.clock.fresh {
		g.readClock()
	}
	t.began = int64(g.clock.now)
	g.last.next, g.last = t, t
	g.mu.Unlock()
	go t.run() // ends with the task; run waits for it
}

// sweep takes tasks that have ended out of the list. They are not taken out
// one by one, because the lock that this takes would double the price of a
// task. It is called with g.mu held, whenever the list is twice as long as it
// was after the last time, so that it costs each task a constant.
func (g *Group) sweep() {
	n := 1
	last := &g.body
	for t := g.body.next; t != nil; {
		next := t.next
		if t.ended() {
			t.next = nil // or who keeps t's context keeps all that came after
		} else {
			last.next, last = t, t
			n++
		}
		t = next
	}
	last.next = nil
	g.last = last
	g.listed = n
	g.sweepAt = max(2*n, minSweep)
}

const minSweep = 256

// refuse is called with g.mu held.
func (g *Group) refuse(method string) {
	g.mu.Unlock()
	panic("structured: " + method + ": the group has ended, so nobody would wait for the task: " +
		"start tasks from the body, from tasks, or before Run returns")
}

// serviceContext returns the context that services share.
func (g *Group) serviceContext() context.Context {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.services == nil {
		s := &serviceGroup{}
		s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(g.outer))
		g.services = s
	}
	return g.services.ctx
}

// run is the life of the group.
func (g *Group) run(body func(context.Context, *Group) error) error {
	g.enter()
	returned := false
	var err error
	defer func() {
		if !returned { // a panic or Goexit on its way to the caller
			g.cancel(errBody)
			g.finish(nil)
		}
	}()
	if g.cfg.CapturePanics {
		err = capture(func() error { return g.callBody(body) })
	} else {
		err = g.callBody(body)
	}
	returned = true
	return g.finish(err)
}

func (g *Group) callBody(body func(context.Context, *Group) error) error {
	if g.watch != nil {
		g.body.more.goroutine = goroutineID()
	}
	if !g.cfg.Trace {
		return body(&g.body, g)
	}
	return g.body.traced(func(ctx context.Context) error { return body(ctx, g) })
}

// finish waits for the tasks and returns the group's error.
func (g *Group) finish(err error) error {
	if err != nil {
		g.fail(&g.body, err)
	}
	g.wait()
	g.leave()
	if g.watch != nil {
		g.watch.stop()
	}
	g.cancel(errDone)
	if len(g.errs) == 0 && g.echoed {
		return canceled(g.outer)
	}
	return join(g.errs)
}

// wait waits for the ordinary tasks, then cancels the services and waits for
// them and for whatever they have started meanwhile.
func (g *Group) wait() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state = waiting
	g.live.Add(g.started)
	for {
		s := g.services
		switch {
		case g.live.Load() > 0 || s != nil && s.stopped && s.running > 0:
			g.wake.Wait()
		case s != nil && !s.stopped:
			g.stopServices(s)
		default:
			g.state = notRunning
			g.clock.stop()
			return
		}
	}
}

// stopServices is called with g.mu held, and lets go of it meanwhile.
func (g *Group) stopServices(s *serviceGroup) {
	s.stopped = true
	g.mu.Unlock()
	defer g.mu.Lock()
	s.cancel(errDone)
	if g.watch != nil {
		g.watch.arm()
	}
}

// add adds one to the tasks that run waits for. It is called with g.mu held.
// As long as nobody waits, that spares a fight over live.
func (g *Group) add() {
	if g.state == inBody {
		g.started++
	} else {
		g.live.Add(1)
	}
}

// subtract takes one from the tasks that run waits for.
func (g *Group) subtract() {
	if g.live.Add(-1) == 0 {
		g.wakeRun()
	}
}

func (g *Group) endService() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.services.running--
	g.wake.Signal()
}

// wakeRun lets run, which waits, look again. The lock is what keeps run from
// missing it between a look and the wait.
func (g *Group) wakeRun() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wake.Signal()
}

// fail records err, without what in it is only an echo, and cancels the
// group if err is its first failure.
func (g *Group) fail(t *task, err error) {
	left := g.echoes(t).strip(err)
	if left == nil {
		g.mu.Lock()
		g.echoed = true
		g.mu.Unlock()
		return
	}
	var errs []error
	if t == &g.body {
		errs = parts(left)
	} else {
		errs = t.named(left)
	}
	g.mu.Lock()
	first := g.errs == nil
	g.errs = append(g.errs, errs...)
	g.mu.Unlock()
	if first {
		g.cancel(t.named(errs[0])[0])
	}
}

func (g *Group) echoes(t *task) echoes {
	if t.more != nil && t.more.ctx != nil {
		return echoesOf(g.ctx, t.more.ctx)
	}
	return echoesOf(g.ctx)
}
