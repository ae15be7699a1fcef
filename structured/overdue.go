package structured

import (
	"bytes"
	"context"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// An Overdue is a task that still runs although it was canceled a while ago.
type Overdue struct {
	Path  string // as in TaskError; the group's own for its body
	Stack []byte // of its goroutine, as runtime.Stack formats it
}

// A watch calls OnOverdue when a group's tasks do not end.
type watch struct {
	g         *Group
	stopWatch func() bool

	mu      sync.Mutex
	stopped bool
	timers  []*time.Timer
	reports sync.WaitGroup // timers that are not stopped
	turn    sync.Mutex     // of the reports
}

func newWatch(g *Group) *watch {
	w := &watch{g: g}
	w.stopWatch = context.AfterFunc(g.ctx, w.arm)
	return w
}

// arm lets the grace period begin.
func (w *watch) arm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return
	}
	grace := w.g.cfg.Grace
	if grace == 0 {
		grace = defaultGrace
	}
	w.reports.Add(1)
	w.timers = append(w.timers, time.AfterFunc(grace, w.report))
}

// stop ends the watch and waits for a report under way.
func (w *watch) stop() {
	w.stopWatch()
	w.mu.Lock()
	w.stopped = true
	for _, t := range w.timers {
		if t.Stop() {
			w.reports.Done()
		}
	}
	w.mu.Unlock()
	w.reports.Wait()
}

func (w *watch) report() {
	defer w.reports.Done()
	w.turn.Lock()
	defer w.turn.Unlock()
	if overdue := w.overdue(); overdue != nil {
		w.g.cfg.OnOverdue(overdue)
	}
}

func (w *watch) overdue() []Overdue {
	g := w.g
	late := map[*task]uint64{}
	var order []*task
	g.mu.Lock()
	for t := &g.body; t != nil; t = t.next {
		if t.ended() || t == &g.body && g.state != inBody || t.inner().Err() == nil {
			continue
		}
		late[t] = t.more.goroutine
		order = append(order, t)
	}
	g.mu.Unlock()
	if order == nil {
		return nil
	}
	stacks := allStacks()
	overdue := make([]Overdue, 0, len(order))
	for _, t := range order {
		overdue = append(overdue, Overdue{Path: t.path(), Stack: stacks[late[t]]})
	}
	return overdue
}

// goroutineID returns the number of the calling goroutine, which the runtime
// tells only in print.
func goroutineID() uint64 {
	var buf [64]byte
	return parseID(buf[:runtime.Stack(buf[:], false)])
}

// parseID reads "goroutine 12 [running]:...".
func parseID(stack []byte) uint64 {
	number, _, _ := bytes.Cut(bytes.TrimPrefix(stack, []byte("goroutine ")), []byte(" "))
	id, _ := strconv.ParseUint(string(number), 10, 64)
	return id
}

// allStacks returns the stack of every goroutine by its number.
func allStacks() map[uint64][]byte {
	buf := make([]byte, 64<<10)
	n := runtime.Stack(buf, true)
	for n == len(buf) {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	stacks := map[uint64][]byte{}
	for _, stack := range bytes.Split(buf[:n], []byte("\n\n")) {
		stacks[parseID(stack)] = stack
	}
	return stacks
}
