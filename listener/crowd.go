package listener

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrCrowdedOut is the cause with which the context of a preparation ends that
// gave way to another stream: see PrepareConfig.InFlight.
var ErrCrowdedOut = errors.New("listener: gave way to another stream, after waiting for the peer")

const (
	// patience is for how long the peer of a preparation may be waited for, all
	// in all, when there is no room for the next stream.
	patience = 250 * time.Millisecond

	// calm is after how long without anybody giving way patience is back.
	calm = time.Second
)

// WaitsForPeer tells [Prepare] that the preparation whose context ctx is waits
// for its peer from now on, until it is over or says that it no longer does. Of
// those that do, the one that has waited longest gives way where there is no
// room for the next stream; a preparation that tells nothing never does. In
// other contexts it does nothing.
//
//	listener.WaitsForPeer(ctx, true)
//	n, err := s.Receive(ctx, p)
//	listener.WaitsForPeer(ctx, false)
func WaitsForPeer(ctx context.Context, waits bool) {
	if g, ok := ctx.Value(guestKey{}).(*guest); ok {
		g.wait(waits)
	}
}

type guestKey struct{}

// A crowd is what is in preparation. It has a limit, at which those give way
// that keep waiting for their peers: or as many clients that stall as the limit
// allows would lock all others out.
//
// Time spent waiting adds up, so that a peer which sends a byte now and then
// gains nothing. Time in which this side is slow does not count, so that a rush
// of honest clients has nobody give way who is being worked on. Where nobody
// gets ready any more patience is halved with every crowd that gave way, and so
// two times patience is for how long stalled clients of any number hold up the
// one behind them.
type crowd struct {
	limit   int           // negative is none
	changed chan struct{} // tells the next in line to look again

	mu      sync.Mutex // held for moments only
	guests  map[*guest]struct{}
	leaving int       // how many of them were told to give way
	gave    int       // how many gave way in a row, less those that got ready
	last    time.Time // when one did
}

// A guest is a preparation.
type guest struct {
	crowd   *crowd
	leave   context.CancelCauseFunc // set before it waits for the first time
	leaving bool                    // it was called
	waited  time.Duration           // for its peer, until since
	since   time.Time               // zero while it does not wait
}

func newCrowd(limit int) *crowd {
	return &crowd{limit: limit, changed: make(chan struct{}, 1), guests: make(map[*guest]struct{})}
}

// enter waits until there is room. One goroutine may enter at a time.
func (c *crowd) enter(ctx context.Context) (*guest, error) {
	for {
		g, wait := c.admit(time.Now())
		if g != nil {
			return g, nil
		}
		if err := c.pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// pause waits for a change, but no longer than wait unless that is negative.
func (c *crowd) pause(ctx context.Context, wait time.Duration) error {
	var late <-chan time.Time
	if wait >= 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-c.changed:
	case <-late:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// admit returns a new guest, or for how long to wait for room unless something
// changes before that, having asked for some where it may; negative is for good.
func (c *crowd) admit(now time.Time) (*guest, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit < 0 || len(c.guests) < c.limit {
		g := &guest{crowd: c}
		c.guests[g] = struct{}{}
		return g, 0
	}
	g, waited := c.longest(now)
	if g == nil {
		return nil, -1
	}
	wait := c.patience(now) - waited
	if c.leaving > 0 { // it will go soon, if it heeds its context
		wait = max(wait, patience-now.Sub(c.last))
	}
	if wait > 0 {
		return nil, wait
	}
	g.leaving = true
	c.leaving++
	c.gave++
	c.last = now
	g.leave(ErrCrowdedOut)
	return nil, patience
}

// longest returns the guest that has waited longest, and how long.
func (c *crowd) longest(now time.Time) (longest *guest, most time.Duration) {
	for g := range c.guests {
		if g.since.IsZero() || g.leaving {
			continue
		}
		if waited := g.waited + now.Sub(g.since); longest == nil || waited > most {
			longest, most = g, waited
		}
	}
	return longest, most
}

func (c *crowd) patience(now time.Time) time.Duration {
	if now.Sub(c.last) > calm {
		c.gave = 0
	}
	return patience >> (c.gave / c.limit)
}

// change has the next in line look again.
func (c *crowd) change() {
	select {
	case c.changed <- struct{}{}:
	default: // it is about to
	}
}

// settle gives the guest a context of its own, under which it may wait.
func (g *guest) settle(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	if g.crowd.limit < 0 {
		return ctx, func(error) {}
	}
	ctx, g.leave = context.WithCancelCause(context.WithValue(ctx, guestKey{}, g))
	return ctx, g.leave
}

func (g *guest) wait(waits bool) {
	now := time.Now()
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	if waits == !g.since.IsZero() {
		return
	}
	if !waits {
		g.waited += now.Sub(g.since)
		g.since = time.Time{}
		return
	}
	g.since = now
	g.crowd.change()
}

// ready tells that the preparation succeeded.
func (g *guest) ready() {
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	g.since = time.Time{}
	g.crowd.gave = max(g.crowd.gave-1, 0)
}

// goes makes room for another.
func (g *guest) goes() {
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	delete(g.crowd.guests, g)
	if g.leaving {
		g.crowd.leaving--
	}
	g.crowd.change()
}
