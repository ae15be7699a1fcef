package ctxio

import (
	"context"
	"time"

	"github.com/strata-go/strata/stream"
)

// ReceiveBy is Receive with read in place of the net.Conn's Read, for reads
// that return more than bytes. A read waits as the net.Conn's does, until its
// read deadline, and returns n > 0 with nil or 0 with an error.
func (c *Conn) ReceiveBy(ctx context.Context, p []byte, read func(p []byte) (int, error)) (int, error) {
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	d := &c.rx.direction
	if err := c.enter(ctx, d); err != nil {
		return 0, err
	}
	defer c.rx.guard.Leave()
	if c.rx.end != nil {
		return 0, c.rx.end
	}
	c.rx.by = read
	defer func() { c.rx.by = nil }()
	n, err := 0, c.beforeBy(ctx, d)
	if err == nil {
		n, err = read(p)
	}
	if n, err = c.afterBy(ctx, d, read, p, n, err); n > 0 {
		return n, nil
	}
	return c.noMore(ctx, p, err)
}

// SendBy is Send with write in place of the net.Conn's Write. After a timeout
// that no context explains it is called again, for the rest of p.
func (c *Conn) SendBy(ctx context.Context, p []byte, write func(p []byte) (int, error)) (int, error) {
	if err := c.enterToSend(ctx); err != nil {
		return 0, err
	}
	defer c.leaveSend()
	d := &c.tx.direction
	n, err := 0, c.beforeBy(ctx, d)
	if err == nil {
		n, err = write(p)
	}
	n, err = c.afterBy(ctx, d, write, p, n, err)
	return n, c.verdict(ctx, err, &c.rx.direction)
}

// beforeBy arms for a call that cannot be told not to wait. The call comes
// between this and afterBy, and not from a function around it, for the reason
// that stands at Receive.
func (c *Conn) beforeBy(ctx context.Context, d *direction) error {
	if !d.suits(ctx) {
		d.clear()
		d.arm(ctx)
	}
	if b := c.broken.Load(); b != nil { // as in park
		return b
	}
	return nil
}

// afterBy finds the answer of a call of f that returned n and err.
func (c *Conn) afterBy(ctx context.Context, d *direction, f func([]byte) (int, error), p []byte, n int, err error) (int, error) {
	if timedOut(err) {
		n, err = c.repark(ctx, d, func(_ *Conn, p []byte) (int, error) { return f(p) }, p, n, err)
	}
	d.settle()
	return n, err
}

// drainBy is drain for a ReceiveBy.
func (c *Conn) drainBy(p []byte, b *stream.BrokenError) (int, error) {
	_ = setRead(c.conn, time.Now().Add(drainGrace))
	n, _ := c.rx.by(p)
	c.rx.reset()
	if n == 0 {
		c.rx.end = b
		return 0, b
	}
	return n, nil
}
