package netconn

import (
	"context"
	"os"
	"sync"
	"time"
)

// A deadline turns a net.Conn's deadline, which can be moved while calls are
// under way, into contexts. One context serves all calls until the deadline
// passes, so that the engine of a socket can leave it armed.
type deadline struct {
	mu     sync.Mutex
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	moved  uint64 // tells a timer that fired too late
}

// context returns the context for a call that begins now.
func (d *deadline) context() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ctx
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unset()
	if d.ctx.Err() != nil {
		d.renew()
	}
	if t.IsZero() {
		return
	}
	left := time.Until(t)
	if left <= 0 {
		d.cancel(os.ErrDeadlineExceeded)
		return
	}
	moved := d.moved
	d.timer = time.AfterFunc(left, func() { d.expire(moved) })
}

// stop ends the timer for good.
func (d *deadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unset()
}

func (d *deadline) expire(moved uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if moved == d.moved {
		d.cancel(os.ErrDeadlineExceeded)
	}
}

func (d *deadline) unset() {
	d.moved++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (d *deadline) renew() {
	d.ctx, d.cancel = context.WithCancelCause(context.Background())
}
