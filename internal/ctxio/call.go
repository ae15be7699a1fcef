package ctxio

import (
	"context"
	"net"

	"github.com/strata-go/strata/stream"
)

// enter lets a call into direction d. After nil the caller must leave the
// guard.
func (c *Conn) enter(ctx context.Context, d *direction) error {
	return stream.Enter(ctx, &d.guard, &c.closed)
}

// park runs op, which may wait, on p until it has an answer.
func (c *Conn) park(ctx context.Context, d *direction, op operation, p []byte) (n int, err error) {
	// After this look a failure in the other direction interrupts us.
	if b := c.broken.Load(); b != nil {
		return 0, b
	}
	n, err = op(c, p)
	if timedOut(err) {
		n, err = c.repark(ctx, d, op, p, n, err)
	}
	return n, err
}

// repark goes on where op was ended by the timeout err with n of p done. It
// is one if ctx is done; any other was not for this call.
func (c *Conn) repark(ctx context.Context, d *direction, op operation, p []byte, n int, err error) (int, error) {
	for retried := false; timedOut(err); retried = true {
		d.reset()
		if ctx.Err() != nil || c.closed.Load() || retried || faulty(noRetry) {
			break
		}
		if b := c.broken.Load(); b != nil { // as in park
			return n, b
		}
		var m int
		m, err = op(c, p[n:])
		n += m
	}
	return n, err
}

// An operation is a call of the net.Conn.
type operation func(c *Conn, p []byte) (int, error)

// verdict makes the caller's error of one that the net.Conn returned.
func (c *Conn) verdict(ctx context.Context, err error, other *direction) error {
	if err == nil {
		return nil
	}
	if c.closed.Load() {
		return net.ErrClosed
	}
	if c.interrupted(ctx, err) {
		return stream.ContextError(ctx)
	}
	return c.fail(err, other)
}

// interrupted reports whether it was ctx that ended a call with err.
func (c *Conn) interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (timedOut(err) || c.gaveUp.Load())
}

// mustPark reports whether a call that did not wait has to be made again by
// one that does. A deadline in the past is that call's to see to.
func mustPark(err error) bool {
	return err != nil && (err == stream.ErrWouldBlock || timedOut(err))
}
