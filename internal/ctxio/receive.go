package ctxio

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"time"

	"github.com/strata-go/strata/stream"
)

// receiving is the direction of Receive.
type receiving struct {
	direction
	socket socketReader
	waiter readWaiter // nil when the net.Conn cannot wait without a buffer
	end    error      // io.EOF or a *stream.BrokenError, once Receive has come to it
	last   bool       // io.EOF came along with the last bytes

	by func(p []byte) (int, error) // of a ReceiveBy under way
}

// A readWaiter is a net.Conn of the module's own that is no socket, and yet
// can wait until Read would not: until its read deadline, or until there is
// anything to return, an error too.
type readWaiter interface{ WaitRead() error }

// Receive waits for bytes. See stream.ByteReceiver.
//
// It tries first and parks only if that is not enough. Both system calls are
// made from here, and not from functions that share this with others: where
// the kernel has the processor forget its way back (RSB filling, safe RET),
// each function that is still to be returned from after a system call costs
// some 15 ns, which beside the call for a short message is much. Send does
// the same.
func (c *Conn) Receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	if err := c.enter(ctx, &c.rx.direction); err != nil {
		return 0, err
	}
	defer c.rx.guard.Leave()
	if c.rx.end != nil {
		return 0, c.rx.end
	}
	if c.rx.last {
		return c.noMore(ctx, p, io.EOF)
	}
	d, socket := &c.rx.direction, &c.rx.socket
	if !d.suits(ctx) {
		d.clear()
		n, err := socket.answer(socket.ask(p))
		if !mustPark(err) {
			d.foresee(ctx)
			return c.received(ctx, p, n, err)
		}
		d.arm(ctx)
	}
	if b := c.broken.Load(); b != nil { // as in park
		d.settle()
		return c.received(ctx, p, 0, b)
	}
	n, err := c.conn.Read(p)
	if n == 0 && (err == nil || timedOut(err)) {
		n, err = c.readOn(ctx, p, err)
	}
	d.settle()
	return c.received(ctx, p, n, err)
}

// received finds the answer of a Receive whose read returned n and err.
func (c *Conn) received(ctx context.Context, p []byte, n int, err error) (int, error) {
	if n > 0 {
		c.rx.last = err == io.EOF
		return n, nil // another error that came along will come again
	}
	return c.noMore(ctx, p, err)
}

// readOn goes on after a read that returned nothing, or a timeout.
func (c *Conn) readOn(ctx context.Context, p []byte, err error) (n int, _ error) {
	if err == nil {
		n, err = c.readSome(p)
	}
	return c.repark(ctx, &c.rx.direction, (*Conn).readSome, p, n, err)
}

// readSome is conn.Read, for which 0 and nil is an answer.
func (c *Conn) readSome(p []byte) (int, error) {
	const patience = 100 // as much as bufio.Reader has
	for range patience {
		n, err := c.conn.Read(p)
		if n > 0 {
			return n, nil // an error that came along will come again
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

// noMore finds the answer of a Receive whose read ended with err.
func (c *Conn) noMore(ctx context.Context, p []byte, err error) (int, error) {
	b := c.broken.Load()
	switch {
	case c.closed.Load():
		return 0, net.ErrClosed
	case err == io.EOF:
		c.rx.end = c.cleanEnd()
	case c.interrupted(ctx, err):
		return 0, stream.ContextError(ctx)
	case b != nil:
		return c.drain(p, b)
	default:
		c.rx.end = c.fail(err, &c.tx.direction)
	}
	return 0, c.rx.end
}

// cleanEnd tells a peer's end from a reset whose error a Send got to see:
// Linux tells it once, and 0 bytes to whoever asks next. See stream's
// contract, line 6.
func (c *Conn) cleanEnd() error {
	if c.tx.eof.Load() == eofNone && c.rx.socket.hungUp() {
		c.awaitSend()
	}
	if b := c.broken.Load(); b != nil {
		return b
	}
	// SendEOF says so before it ends our direction. After that a connection
	// may come to its end in order.
	if c.rx.socket.wasReset() && c.tx.eof.Load() == eofNone {
		return c.fail(resetError(c.conn), &c.tx.direction)
	}
	return io.EOF
}

// awaitSend waits until a Send that is under way has told what it met. Its
// peer is gone, so it meets something, and at once.
func (c *Conn) awaitSend() {
	for c.tx.open.Load() && c.broken.Load() == nil {
		runtime.Gosched()
	}
}

// drainGrace is how long a net.Conn that cannot be asked without waiting may
// take to return what it has received.
const drainGrace = 10 * time.Millisecond

// drain returns what is still readable after the other direction broke, and
// then b for good.
func (c *Conn) drain(p []byte, b *stream.BrokenError) (int, error) {
	c.rx.reset()
	if c.rx.by != nil {
		return c.drainBy(p, b)
	}
	n, err := c.rx.socket.try(p)
	for timedOut(err) { // b's interruption came after the reset, or ctx's
		c.rx.reset()
		n, err = c.rx.socket.try(p)
	}
	if err == stream.ErrWouldBlock && !c.rx.socket.ok() {
		_ = setRead(c.conn, time.Now().Add(drainGrace))
		n, _ = c.conn.Read(p)
		c.rx.reset()
	}
	if n > 0 {
		return n, nil
	}
	c.rx.end = b
	return 0, b
}

// WaitReceive waits until Receive would not block. See stream.WaitReceive. It
// is errors.ErrUnsupported where the net.Conn is no socket and has no
// WaitRead.
//
// Many goroutines spend their lives in here. What they have on their stacks
// meanwhile is kept small, and so is what was there before: a stack of 2 KiB,
// of which 1.1 can be used, that once had to grow does not shrink again.
func (c *Conn) WaitReceive(ctx context.Context) error {
	if !c.rx.socket.ok() && c.rx.waiter == nil {
		return errors.ErrUnsupported
	}
	if err := c.enter(ctx, &c.rx.direction); err != nil {
		return err
	}
	var err error
	if !c.rx.ready(ctx) {
		if c.rx.standing == nil {
			c.rx.arm(ctx)
		}
		err = c.awaitReadable(ctx)
		c.rx.settle()
	}
	c.rx.guard.Leave()
	return err
}

// ready reports whether a Receive with ctx need not wait. If it may have to,
// nothing is in the way of arming.
func (r *receiving) ready(ctx context.Context) bool {
	if r.end != nil || r.last {
		return true
	}
	if r.suits(ctx) {
		return false
	}
	r.clear()
	return r.waiter == nil && r.socket.readable()
}

// awaitReadable parks.
func (c *Conn) awaitReadable(ctx context.Context) error {
	_, err := c.waitReadable(nil)
	return c.awaited(ctx, err)
}

func (c *Conn) waitReadable([]byte) (int, error) {
	if b := c.broken.Load(); b != nil { // as in park
		return 0, b
	}
	if c.rx.waiter != nil {
		return 0, c.rx.waiter.WaitRead()
	}
	return 0, c.rx.socket.wait()
}

// awaited finds the answer of a WaitReceive whose wait ended with err. It is
// nil for a failure that Receive will tell.
func (c *Conn) awaited(ctx context.Context, err error) error {
	_, err = c.repark(ctx, &c.rx.direction, (*Conn).waitReadable, nil, 0, err)
	if c.broken.Load() != nil && !c.closed.Load() {
		return nil
	}
	return c.verdict(ctx, err, &c.tx.direction)
}
