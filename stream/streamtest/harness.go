package streamtest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/strata-go/strata/stream"
)

// grace is how long a call may take to return after its context ended or its
// stream was closed, before it counts as stuck.
const grace = 5 * time.Second

// A harness runs one check: it knows the calls that the check started and
// what has to be closed in the end.
//
// Its methods, and those of the probes that embed it, end the check with a
// failure where they do not get what they want, by a panic that run recovers,
// or catch where another goroutine than the check's own uses them.
type harness struct {
	bubble bool // in a bubble of testing/synctest

	mu    sync.Mutex
	ends  []stream.Resource
	calls []*call
	over  bool // cleaning up
}

// newHarness returns the harness of a check with the given streams, which it
// closes in the end.
func newHarness(bubble bool, ends ...stream.Resource) *harness {
	return &harness{bubble: bubble, ends: ends}
}

// failure is the panic of a check that did not get what it wants.
type failure struct{ err error }

// fatalf ends the check with a failure.
func (h *harness) fatalf(format string, args ...any) {
	panic(failure{fmt.Errorf(format, args...)})
}

// catch returns the failure that f ends with, or nil.
func catch(f func()) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case failure:
			err = v.err
		default:
			panic(v)
		}
	}()
	f()
	return nil
}

// run runs body and cleans up, and reports a body that does not end.
func (h *harness) run(ctx context.Context, body func()) error {
	done := make(chan error, 1)
	go func() { // ends with the body; one that does not is an error below
		err := catch(body)
		done <- errors.Join(err, h.cleanUp())
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	stuck := time.NewTimer(2 * grace)
	defer stuck.Stop()
	select {
	case err := <-done:
		return err
	case <-stuck.C:
		return fmt.Errorf("a call outlives its context: %w\n%s", context.Cause(ctx), allStacks())
	}
}

// closeLater adds s to what is closed in the end; at once, when that has come.
func (h *harness) closeLater(s stream.Resource) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		s.Close()
		return
	}
	h.ends = append(h.ends, s)
}

// cleanUp closes everything and waits for the calls that are still under way.
func (h *harness) cleanUp() error {
	h.mu.Lock()
	h.over = true
	ends := h.ends
	h.mu.Unlock()
	for _, s := range ends {
		h.start("Close", func() (int, error) { return 0, s.Close() })
	}
	h.mu.Lock()
	calls := h.calls
	h.mu.Unlock()
	timeout := time.NewTimer(grace)
	defer timeout.Stop()
	for _, c := range calls {
		select {
		case <-c.done:
		case <-timeout.C:
			return fmt.Errorf("%s is still blocked after everything was closed\n%s", c.name, allStacks())
		}
	}
	return nil
}

// A call is a call of a stream's method in a goroutine of its own.
type call struct {
	name string
	done chan struct{}
	n    int
	err  error
}

// start makes f run on its own. It ends at the latest when cleanUp closes
// the streams.
func (h *harness) start(name string, f func() (int, error)) *call {
	c := &call{name: name, done: make(chan struct{})}
	h.mu.Lock()
	h.calls = append(h.calls, c)
	h.mu.Unlock()
	go func() { // waited for by cleanUp
		defer close(c.done)
		c.n, c.err = f()
	}()
	return c
}

// wait returns what c returned.
func (h *harness) wait(ctx context.Context, c *call) (int, error) {
	select {
	case <-c.done:
		return c.n, c.err
	case <-ctx.Done():
	}
	h.fatalf("%s does not return\n%s", c.name, allStacks())
	return 0, nil
}

// inside makes two calls with f, of which one must be turned away with
// ErrBusy. The other, which it returns, is then known to be inside.
func (h *harness) inside(ctx context.Context, name string, f func() (int, error)) *call {
	c, d := h.start(name, f), h.start(name, f)
	select {
	case <-c.done:
		c, d = d, c
	case <-d.done:
	case <-ctx.Done():
		h.fatalf("two calls of %s at once both wait, want ErrBusy for one of them", name)
	}
	if d.n != 0 || !errors.Is(d.err, stream.ErrBusy) {
		h.fatalf("one of two calls of %s at once returned %d, %v; want 0, ErrBusy", name, d.n, d.err)
	}
	h.yield() // lets the call park
	return c
}

// stillInside is for calls that must not have returned.
func (h *harness) stillInside(c *call) {
	h.yield()
	select {
	case <-c.done:
		h.fatalf("%s returned early: %d, %v", c.name, c.n, c.err)
	default:
	}
}

// close closes s, which must succeed without anybody's help.
func (h *harness) close(s stream.Resource) {
	c := h.start("Close", func() (int, error) { return 0, s.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if _, err := h.wait(ctx, c); err != nil {
		h.fatalf("Close: %v", err)
	}
}

// want ends the check unless a call returned n == 0 and err is target.
func (h *harness) want(what string, n int, err, target error) {
	if n != 0 || !errors.Is(err, target) {
		h.fatalf("%s returned %d, %v; want 0, %v", what, n, err, target)
	}
}

// wantTimeout wants an error that tells whether a deadline passed.
func (h *harness) wantTimeout(what string, err error, timeout bool) {
	var t interface{ Timeout() bool }
	if !errors.As(err, &t) || t.Timeout() != timeout {
		h.fatalf("%s returned %v, whose Timeout is not %v", what, err, timeout)
	}
}

// wantCanceled wants what a call returns whose context was canceled for
// errCustom.
func (h *harness) wantCanceled(what string, err error) {
	h.want(what, 0, err, errCustom)
	h.want(what, 0, err, context.Canceled)
	h.wantTimeout(what, err, false)
}

// A question is a call that returns at once when its context is done.
type question struct {
	name string
	ask  func(ctx context.Context) (int, error)
}

// wantDone asks with contexts that are done, and wants their causes.
func (h *harness) wantDone(qs []question, when string) {
	for _, q := range qs {
		n, err := q.ask(doneContext())
		h.want(q.name+" "+when, n, err, errCustom)
		h.want(q.name+" "+when, n, err, context.Canceled)
		h.wantTimeout(q.name, err, false)
		n, err = q.ask(expiredContext())
		h.want(q.name+" "+when, n, err, context.DeadlineExceeded)
		h.wantTimeout(q.name, err, true)
	}
}

// wantAll wants the same error for all questions.
func (h *harness) wantAll(ctx context.Context, qs []question, when string, target error) {
	for _, q := range qs {
		n, err := q.ask(ctx)
		h.want(q.name+" "+when, n, err, target)
	}
}

// yield lets every other goroutine run until it waits: for certain in a
// bubble, in all likelihood outside. It is for the check's own goroutine.
func (h *harness) yield() {
	if h.bubble {
		synctest.Wait()
		return
	}
	for range 50 {
		runtime.Gosched()
	}
}

// stall waits until a count goes up no more: for certain in a bubble, outside
// until it has stood still for a fifth of a second.
func (h *harness) stall(ctx context.Context, count *atomic.Int64) {
	if h.bubble {
		synctest.Wait()
		return
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	last, still := count.Load(), 0
	for still < 20 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if now := count.Load(); now != last {
			last, still = now, 0
		} else {
			still++
		}
	}
}

func allStacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}
