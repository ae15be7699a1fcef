package streamtest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/strata-go/strata/stream"
)

// defaultOperations is how many calls each direction of a storm makes.
const defaultOperations = 2000

// grace is how long a call may take to return after its context ended or its
// stream was closed, before it counts as stuck.
const grace = 5 * time.Second

// A check is what the checks of one-way and two-way byte streams have in
// common before they meet a maker.
type check struct {
	name    string
	body    func(ctx context.Context, p *probe)
	clogged bool // wants a connection that takes nothing until it is received
	stored  bool // also holds where nothing blocks, as in a file
}

// rules is what the streams under test cannot do.
type rules struct {
	noHalfClose      bool
	noAbort          bool
	noWaitReceive    bool
	noBroken         bool
	cancelBreaksSend bool
	stored           bool
	encodes          bool
	operations       int
}

// A probe is one check at work on one connection: s sends what r receives.
// Where they are two-way streams, a is s and b is r.
//
// Its methods end the check with a failure where they do not get what they
// want, by a panic that run recovers, or catch where another goroutine than the
// check's own uses them.
type probe struct {
	rules
	s       stream.ByteSender
	r       stream.ByteReceiver
	a, b    stream.ByteStream // nil on a one-way connection
	clogged bool              // s takes nothing until r receives
	calls   *calls
}

// failure is the panic of a probe that did not get what it wants.
type failure struct{ err error }

// run runs body and cleans up, and reports a body that does not end.
func (p *probe) run(ctx context.Context, body func(context.Context, *probe)) error {
	done := make(chan error, 1)
	go func() { done <- p.attempt(ctx, body) }() // ends with the body; one that does not is an error below
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(2 * grace):
		return fmt.Errorf("a call outlives its context: %w\n%s", context.Cause(ctx), allStacks())
	}
}

func (p *probe) attempt(ctx context.Context, body func(context.Context, *probe)) error {
	err := catch(func() { body(ctx, p) })
	return errors.Join(err, p.cleanUp())
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

// cleanUp closes both ends and waits for the calls that are still under way.
func (p *probe) cleanUp() error {
	timeout := time.NewTimer(grace)
	defer timeout.Stop()
	p.start("Close", func() (int, error) { return 0, p.s.Close() })
	p.start("Close", func() (int, error) { return 0, p.r.Close() })
	for _, c := range p.calls.all() {
		select {
		case <-c.done:
		case <-timeout.C:
			return fmt.Errorf("%s is still blocked after Close of both ends\n%s", c.name, allStacks())
		}
	}
	return nil
}

// fatalf ends the check with a failure.
func (p *probe) fatalf(format string, args ...any) {
	panic(failure{fmt.Errorf(format, args...)})
}

// flip returns the probe of the other direction, as part of the same check.
func (p *probe) flip() *probe {
	return &probe{rules: p.rules, a: p.b, b: p.a, s: p.b, r: p.a, calls: p.calls}
}

// bulk returns more bytes than the connection holds when nobody receives.
func (p *probe) bulk() []byte {
	if p.clogged {
		return pattern()[:1<<20]
	}
	return pattern()
}

// A call is a call of a stream's method in a goroutine of its own.
type call struct {
	name string
	done chan struct{}
	n    int
	err  error
}

// calls are all those that a check started.
type calls struct {
	mu   sync.Mutex
	list []*call
}

func (cs *calls) add(c *call) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.list = append(cs.list, c)
}

func (cs *calls) all() []*call {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.list
}

// start makes f run on its own. It ends at the latest when cleanUp closes
// the streams.
func (p *probe) start(name string, f func() (int, error)) *call {
	c := &call{name: name, done: make(chan struct{})}
	p.calls.add(c)
	go func() { // waited for by cleanUp
		defer close(c.done)
		c.n, c.err = f()
	}()
	return c
}

// wait returns what c returned.
func (p *probe) wait(ctx context.Context, c *call) (int, error) {
	select {
	case <-c.done:
		return c.n, c.err
	case <-ctx.Done():
	}
	p.fatalf("%s does not return\n%s", c.name, allStacks())
	return 0, nil
}

// inside makes two calls with f, of which one must be turned away with
// ErrBusy. The other, which it returns, is then known to be inside.
func (p *probe) inside(ctx context.Context, name string, f func() (int, error)) *call {
	c, d := p.start(name, f), p.start(name, f)
	select {
	case <-c.done:
		c, d = d, c
	case <-d.done:
	case <-ctx.Done():
		p.fatalf("two calls of %s at once both wait, want ErrBusy for one of them", name)
	}
	if d.n != 0 || !errors.Is(d.err, stream.ErrBusy) {
		p.fatalf("one of two calls of %s at once returned %d, %v; want 0, ErrBusy", name, d.n, d.err)
	}
	yield() // lets the call park
	return c
}

// stillInside is for calls that must not have returned.
func (p *probe) stillInside(c *call) {
	yield()
	select {
	case <-c.done:
		p.fatalf("%s returned early: %d, %v", c.name, c.n, c.err)
	default:
	}
}

// yield gives every other goroutine its turn, several times.
func yield() {
	for range 50 {
		runtime.Gosched()
	}
}

func allStacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}
