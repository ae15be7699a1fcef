package ctxio

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// A PacketSocket is what [Packets] needs of a net.PacketConn.
type PacketSocket interface {
	syscall.Conn
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
	Close() error
}

// Packets makes the calls of a packet socket honor a context, as stream's
// contract wants it of packet streams: one goroutine receives, any number
// send in turn, and no error but Close ends anything. Make it with
// [Packets.Init]. It must not be copied.
type Packets struct {
	conn PacketSocket
	rx   direction
	tx   direction
	turn structured.Mutex // of those who send

	closed  atomic.Bool
	closing sync.Mutex // as in Conn
}

// Init makes p the engine over conn, and takes conn over.
func (p *Packets) Init(conn PacketSocket) {
	p.conn = conn
	p.rx.conn, p.rx.set = conn, setRead
	p.tx.conn, p.tx.set = conn, setWrite
}

// A PacketCall is one way to receive or to send, made once for a socket, so
// that a call allocates nothing.
type PacketCall struct {
	wait          func() error // until the deadline of the socket; or else:
	raw           syscall.RawConn
	sends         bool
	attempt, once func(fd uintptr) bool
	answered      bool
	result        func() error
}

// Init makes c the call of attempt, which makes a system call that does not
// wait and reports whether that had an answer other than EAGAIN. It runs under
// the descriptor's lock for sending or for receiving. Result returns the error
// of an answer.
func (c *PacketCall) Init(raw syscall.RawConn, sends bool, attempt func(fd uintptr) bool, result func() error) {
	c.raw, c.sends, c.attempt, c.result = raw, sends, attempt, result
	c.once = func(fd uintptr) bool {
		c.answered = attempt(fd)
		return true
	}
}

// InitBlocking makes a call of wait, which waits until the deadline of the
// socket.
func (c *PacketCall) InitBlocking(wait func() error) { c.wait = wait }

// run makes the call so that it waits.
func (c *PacketCall) run() error {
	if c.attempt == nil {
		return c.wait()
	}
	if err := c.under(c.attempt); err != nil {
		return err
	}
	return c.result()
}

// under runs f under the descriptor's lock.
func (c *PacketCall) under(f func(fd uintptr) bool) error {
	if c.sends {
		return c.raw.Write(f)
	}
	return c.raw.Read(f)
}

// BeginReceive lets one caller receive. After nil it must call EndReceive. The
// error is stream.ErrBusy while somebody else receives.
func (p *Packets) BeginReceive(ctx context.Context) error {
	return stream.Enter(ctx, &p.rx.guard, &p.closed)
}

// Receive makes a call that receives.
func (p *Packets) Receive(ctx context.Context, call *PacketCall) error {
	return p.perform(ctx, &p.rx, call)
}

// EndReceive lets the next caller receive.
func (p *Packets) EndReceive() { p.rx.guard.Leave() }

// BeginSend waits for the caller's turn to send. After nil it must call
// EndSend.
func (p *Packets) BeginSend(ctx context.Context) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	if !p.turn.TryLock() {
		if err := p.turn.Lock(ctx); err != nil {
			return stream.ContextError(ctx)
		}
	}
	if p.closed.Load() {
		p.turn.Unlock()
		return net.ErrClosed
	}
	return nil
}

// Send makes a call that sends.
func (p *Packets) Send(ctx context.Context, call *PacketCall) error {
	return p.perform(ctx, &p.tx, call)
}

// EndSend gives the turn to the next caller.
func (p *Packets) EndSend() { p.turn.Unlock() }

// Close closes the socket. Again it is nil. Calls under way return
// net.ErrClosed.
func (p *Packets) Close() error {
	p.closing.Lock()
	defer p.closing.Unlock()
	if !p.closed.CompareAndSwap(false, true) {
		return nil
	}
	p.rx.close()
	p.tx.close()
	if err := p.conn.Close(); !isClosed(err) {
		return err
	}
	return nil // somebody else closed it before
}

// Closed reports whether Close was called.
func (p *Packets) Closed() bool { return p.closed.Load() }

func (p *Packets) enter(ctx context.Context) error {
	if err := stream.ContextError(ctx); err != nil {
		return err
	}
	if p.closed.Load() {
		return net.ErrClosed
	}
	return nil
}

// perform tries first and parks only if that is not enough, as Conn does.
func (p *Packets) perform(ctx context.Context, d *direction, call *PacketCall) error {
	if !d.suits(ctx) {
		d.clear()
		if call.attempt != nil {
			err := call.under(call.once)
			if err == nil && call.answered {
				d.foresee(ctx)
				return call.result()
			}
			if err != nil && !timedOut(err) {
				return p.verdict(err)
			}
		}
		d.arm(ctx)
	}
	var err error
	switch { // what run does: the fewer functions around a system call, the better
	case call.attempt == nil:
		err = call.wait()
	case call.sends:
		err = call.raw.Write(call.attempt)
	default:
		err = call.raw.Read(call.attempt)
	}
	if err == nil && call.attempt != nil {
		err = call.result()
	}
	if timedOut(err) {
		err = p.again(ctx, d, call)
	}
	d.settle()
	return p.verdict(err)
}

// again finds out whether it was ctx that ended a call, and makes it once
// more if not.
func (p *Packets) again(ctx context.Context, d *direction, call *PacketCall) error {
	d.reset()
	if err := stream.ContextError(ctx); err != nil {
		return err
	}
	if p.closed.Load() {
		return net.ErrClosed
	}
	err := call.run()
	if timedOut(err) {
		d.reset()
		if canceled := stream.ContextError(ctx); canceled != nil {
			return canceled
		}
	}
	return err
}

func (p *Packets) verdict(err error) error {
	if err != nil && p.closed.Load() {
		return net.ErrClosed
	}
	return err
}

// A TruncatedError reports that a packet did not fit into the buffer. What
// did is in it, and the rest is lost.
type TruncatedError struct {
	Index  int // of the packet in a batch
	Room   int // of the buffer
	Length int // of the packet; 0 where the system does not tell
}

func (e *TruncatedError) Error() string {
	if e.Length == 0 {
		return fmt.Sprintf("packet of more than the %d bytes of its buffer truncated", e.Room)
	}
	return fmt.Sprintf("packet of %d bytes truncated to the %d of its buffer", e.Length, e.Room)
}
