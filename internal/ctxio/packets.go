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
	ignore := func(error) {} // it is closed, which the call will find
	p.rx.set, p.rx.stuck = conn.SetReadDeadline, ignore
	p.tx.set, p.tx.stuck = conn.SetWriteDeadline, ignore
}

// A PacketCall is one way to receive or to send, made once for a socket, so
// that a call allocates nothing.
type PacketCall struct {
	// Try answers without waiting; the error is stream.ErrWouldBlock when it
	// cannot. Nil means that there is no such thing.
	Try func() error

	// Wait waits for the answer, until the deadline of the socket.
	Wait func() error
}

// NewPacketCall makes a call of attempt, which makes a system call that does
// not wait, and reports whether that has an answer other than EAGAIN. It runs
// under the descriptor's lock, by way of under: the Read or Write method of the
// socket's RawConn. Result is the error of an answer.
func NewPacketCall(under func(func(uintptr) bool) error, attempt func(fd uintptr) bool, result func() error) PacketCall {
	answered := false
	once := func(fd uintptr) bool {
		answered = attempt(fd)
		return true
	}
	return PacketCall{
		Try: func() error {
			if err := under(once); err != nil {
				return err
			}
			if !answered {
				return stream.ErrWouldBlock
			}
			return result()
		},
		Wait: func() error {
			if err := under(attempt); err != nil {
				return err
			}
			return result()
		},
	}
}

// Receive makes a call that receives. Prepare runs before it and done after
// it, while nobody else is receiving. The error is stream.ErrBusy while
// somebody is.
func (p *Packets) Receive(ctx context.Context, call *PacketCall, prepare, done func()) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	if err := p.rx.guard.Enter(); err != nil {
		return err
	}
	defer p.rx.guard.Leave()
	prepare()
	defer done()
	return p.perform(ctx, &p.rx, call)
}

// Send makes a call that sends, when it is this caller's turn. Prepare runs
// before it and done after it, while nobody else is sending.
func (p *Packets) Send(ctx context.Context, call *PacketCall, prepare, done func()) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	if err := p.turn.Lock(ctx); err != nil {
		return stream.ContextError(ctx)
	}
	defer p.turn.Unlock()
	if p.closed.Load() {
		return net.ErrClosed
	}
	prepare()
	defer done()
	return p.perform(ctx, &p.tx, call)
}

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
		if call.Try != nil {
			if err := call.Try(); !mustPark(err) {
				return p.verdict(err)
			}
		}
		d.arm(ctx)
	}
	err := call.Wait()
	for retried := false; timedOut(err); retried = true {
		d.reset()
		if canceled := stream.ContextError(ctx); canceled != nil {
			err = canceled
			break
		}
		if retried || p.closed.Load() {
			break
		}
		err = call.Wait()
	}
	d.settle()
	return p.verdict(err)
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
