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
	n, err := c.parkBy(ctx, d, read, p)
	if n > 0 {
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
	n, err := c.parkBy(ctx, &c.tx.direction, write, p)
	return n, c.verdict(ctx, err, &c.rx.direction)
}

// parkBy arms before it calls f, which cannot be told not to wait.
func (c *Conn) parkBy(ctx context.Context, d *direction, f func([]byte) (int, error), p []byte) (int, error) {
	if !d.suits(ctx) {
		d.clear()
		d.arm(ctx)
	}
	n, err := c.park(ctx, d, func(_ *Conn, p []byte) (int, error) { return f(p) }, p)
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
