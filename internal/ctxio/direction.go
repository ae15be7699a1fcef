package ctxio

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/strata-go/strata/structured"
)

// A direction is one half of a connection as cancellation sees it: whose
// context can interrupt it, and whether its deadline is in the way.
type direction struct {
	conn  any    // what set is for
	set   setter // of the deadline of this half
	owner *Conn  // gives up when set fails, so that nothing else can wake a call; may be nil

	guard structured.Guard

	// These belong to the call inside the guard.
	unarmed  uint32          // calls that need not park; see foresee
	standing <-chan struct{} // what the direction is ready for; see suits
	last     <-chan struct{} // Done of the last call that armed, or was looked at

	mu     sync.Mutex
	gen    uint64      // of the current arming: any older one has come too late
	stop   func() bool // ends the current arming; nil when there is none
	dirty  bool        // a deadline in the past stands
	closed bool        // the net.Conn is closed, or belongs to somebody else
}

// A setter sets a deadline of conn. A function beside a value, and no method
// value, is nothing to allocate for every stream.
type setter func(conn any, t time.Time) error

func setBoth(conn any, t time.Time) error {
	return conn.(interface{ SetDeadline(time.Time) error }).SetDeadline(t)
}

func setRead(conn any, t time.Time) error {
	return conn.(interface{ SetReadDeadline(time.Time) error }).SetReadDeadline(t)
}

func setWrite(conn any, t time.Time) error {
	return conn.(interface{ SetWriteDeadline(time.Time) error }).SetWriteDeadline(t)
}

// unclean is what a direction is ready for that has an arming to drop or a
// deadline to clear before any call may park. No context has it for Done.
var unclean <-chan struct{} = make(chan struct{})

// past is a deadline that wakes a call at once.
var past = time.Unix(1, 0)

// suits reports whether a call with ctx may park as things are: its arming
// stands already, or it needs none and there is none.
func (d *direction) suits(ctx context.Context) bool {
	if d.standing == nil {
		// Not ctx.Done() == nil: the first call of Done makes a channel, for
		// nothing if the call need not park.
		return ctx == context.Background()
	}
	return d.standing == ctx.Done()
}

// clear drops what earlier calls left: an arming, a deadline in the past.
func (d *direction) clear() {
	if d.standing == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop()
	d.lift()
	d.standing = nil
}

// arm makes ctx interrupt this direction. It is called after clear.
func (d *direction) arm(ctx context.Context) {
	done := ctx.Done()
	if done == nil {
		return
	}
	d.mu.Lock()
	if !d.closed { // or ctx would hold on to a connection that is gone
		d.gen++
		gen := d.gen
		d.stop = context.AfterFunc(ctx, func() { d.fire(gen) })
		d.standing = unclean
		if done == d.last {
			d.standing = done
		}
		d.last = done
	}
	d.mu.Unlock()
}

// foresee is called when a call with ctx needed no arming, for one that had no
// need to look: calls that keep coming with the same context are armed, after
// which they park without a try before, which is the shorter way when there
// is no need to park either. Not every call looks, since that makes a channel.
func (d *direction) foresee(ctx context.Context) {
	const seldom = 256
	d.unarmed++
	if d.unarmed%seldom != 0 {
		return
	}
	if done := ctx.Done(); done != d.last {
		d.last = done
		return
	}
	d.arm(ctx)
}

// settle ends a call: an arming that was for it alone is dropped.
func (d *direction) settle() {
	if d.standing != unclean {
		return
	}
	d.mu.Lock()
	d.drop()
	if !d.dirty {
		d.standing = nil
	}
	d.mu.Unlock()
}

// reset clears the deadline after it woke a call. The caller looks at its
// context after this, not before: a callback may have come in between.
func (d *direction) reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dirty = true
	d.lift()
}

// fire is the callback of the arming with number gen.
func (d *direction) fire(gen uint64) {
	if faulty(slowCallbacks) {
		runtime.Gosched()
	}
	d.mu.Lock()
	if gen != d.gen && !faulty(anyGeneration) {
		d.mu.Unlock()
		return
	}
	d.interruptAndUnlock()
}

// interrupt wakes the call inside, whatever its context.
func (d *direction) interrupt() {
	d.mu.Lock()
	d.interruptAndUnlock()
}

func (d *direction) interruptAndUnlock() {
	var err error
	if !d.closed {
		d.dirty = true
		err = d.set(d.conn, past)
	}
	d.mu.Unlock()
	if err != nil && d.owner != nil { // or else it is closed, which the call will find
		d.owner.giveUp(err)
	}
}

// close makes sure that nothing touches the net.Conn anymore, and that no
// context holds on to it.
func (d *direction) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.drop()
}

// release is close for a net.Conn that goes on without us.
func (d *direction) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop()
	d.lift()
	d.closed = true
}

// drop ends the current arming. A callback on its way will find that its
// number is old.
func (d *direction) drop() {
	d.gen++
	if d.stop != nil {
		d.stop()
		d.stop = nil
	}
}

// lift removes a deadline in the past.
func (d *direction) lift() {
	if d.dirty && !d.closed {
		d.dirty = false
		_ = d.set(d.conn, time.Time{}) // fails only if the conn is closed, which the call will find
	}
}

// faults are what the cancel storm and its negative control plant.
var faults atomic.Uint32

const (
	slowCallbacks uint32 = 1 << iota // callbacks give way before they look at their number
	anyGeneration                    // they set the deadline whatever their number
	noRetry                          // a timeout that no context explains reaches the caller
)

func faulty(f uint32) bool { return faults.Load()&f != 0 }
