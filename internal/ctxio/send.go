package ctxio

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"github.com/strata-go/strata/stream"
)

// sending is the direction of Send.
type sending struct {
	direction
	socket socketWriter
	trier  tryWriter   // nil when the net.Conn cannot write without waiting
	closer closeWriter // nil when the net.Conn cannot half-close
	eof    atomic.Uint32
	open   atomic.Bool // a call is inside that may yet tell of a failure

	vector *vector // nil until the first SendBuffers
}

// A vector is what a SendBuffers has to send.
type vector struct {
	bufs  [][]byte    // kept for its room
	rest  net.Buffers // what of bufs is still to be sent
	taken int64
}

type closeWriter interface{ CloseWrite() error }

// A tryWriter is a net.Conn of the module's own that is no socket, and yet can
// take what it has room for without waiting. The error is stream.ErrWouldBlock
// where that is not all. Its CloseWrite does not wait either.
type tryWriter interface {
	TryWrite(p []byte) (int, error)
}

// tryAtMost is the longest write that is tried first with a tryWriter, which
// copies: to arm costs as much as copying some packets' worth.
const tryAtMost = 1200

// How far SendEOF has come.
const (
	eofNone uint32 = iota
	eofUnderway
	eofSent
)

// Send sends all of p. See stream.ByteSender, and Receive on how it goes
// about it.
func (c *Conn) Send(ctx context.Context, p []byte) (int, error) {
	if err := c.enterToSend(ctx); err != nil {
		return 0, err
	}
	defer c.leaveSend()
	if len(p) == 0 {
		return 0, nil
	}
	d, socket := &c.tx.direction, &c.tx.socket
	n := 0
	if !d.suits(ctx) {
		d.clear()
		var err error
		if c.tx.trier != nil && len(p) <= tryAtMost {
			n, err = c.tx.try(p)
		} else {
			n, err = socket.answer(socket.ask(p))
		}
		if !mustPark(err) {
			d.foresee(ctx)
			return n, c.verdict(ctx, err, &c.rx.direction)
		}
		d.arm(ctx)
	}
	if b := c.broken.Load(); b != nil { // as in park
		d.settle()
		return n, c.verdict(ctx, b, &c.rx.direction)
	}
	m, err := c.conn.Write(p[n:])
	if timedOut(err) {
		m, err = c.repark(ctx, d, (*Conn).writeAll, p[n:], m, err)
	}
	d.settle()
	return n + m, c.verdict(ctx, err, &c.rx.direction)
}

// try writes what there is room for.
func (s *sending) try(p []byte) (int, error) {
	if s.trier != nil {
		return s.trier.TryWrite(p)
	}
	return s.socket.try(p)
}

// enterToSend is enter for a direction that may have ended or be broken. After
// nil the caller must call leaveSend.
func (c *Conn) enterToSend(ctx context.Context) error {
	if err := c.enter(ctx, &c.tx.direction); err != nil {
		return err
	}
	var err error
	if c.tx.eof.Load() == eofSent {
		err = net.ErrClosed
	} else if b := c.broken.Load(); b != nil {
		err = b
	}
	if err != nil {
		c.tx.guard.Leave()
		return err
	}
	c.tx.open.Store(true)
	return nil
}

func (c *Conn) leaveSend() {
	c.tx.open.Store(false)
	c.tx.guard.Leave()
}

func (c *Conn) writeAll(p []byte) (int, error) { return c.conn.Write(p) }

// SendBuffers sends bufs in order, with one writev(2) where the net.Conn is a
// socket. See stream.SendBuffers.
func (c *Conn) SendBuffers(ctx context.Context, bufs [][]byte) (int64, error) {
	if err := c.enterToSend(ctx); err != nil {
		return 0, err
	}
	defer c.leaveSend()
	if c.tx.vector == nil {
		c.tx.vector = new(vector)
	}
	v := c.tx.vector
	v.fill(bufs)
	err := c.writeBuffers(ctx)
	clear(v.bufs)
	return v.taken, c.verdict(ctx, err, &c.rx.direction)
}

// fill takes a copy of bufs, since net.Buffers changes what it sends.
func (v *vector) fill(bufs [][]byte) {
	v.bufs = v.bufs[:0]
	for _, p := range bufs {
		if len(p) > 0 { // net.Pipe would wait for a reader to take nothing
			v.bufs = append(v.bufs, p)
		}
	}
	v.rest, v.taken = v.bufs, 0
}

// writeBuffers arms before it tries: beside a writev the one costs little,
// and the other would need a vector of its own.
func (c *Conn) writeBuffers(ctx context.Context) error {
	d := &c.tx.direction
	if !d.suits(ctx) {
		d.clear()
		d.arm(ctx)
	}
	_, err := c.park(ctx, d, (*Conn).writeRest, nil)
	d.settle()
	return err
}

func (c *Conn) writeRest([]byte) (int, error) {
	v := c.tx.vector
	n, err := v.rest.WriteTo(c.conn)
	v.taken += n
	return 0, err
}

// TrySend sends what the socket takes without waiting. See stream.TrySend. It
// is errors.ErrUnsupported where the net.Conn is no socket and has no
// TryWrite.
func (c *Conn) TrySend(p []byte) (int, error) {
	if !c.tx.socket.ok() && c.tx.trier == nil {
		return 0, errors.ErrUnsupported
	}
	if err := c.enterToSend(context.Background()); err != nil {
		return 0, err
	}
	defer c.leaveSend()
	if len(p) == 0 {
		return 0, nil
	}
	n, err := c.tx.try(p)
	if timedOut(err) { // a context that stood armed is done
		c.tx.clear()
		n, err = c.tx.try(p)
	}
	if err == stream.ErrWouldBlock {
		return n, err
	}
	return n, c.verdict(context.Background(), err, &c.rx.direction)
}

// SendEOF ends our direction. See stream.ByteStream. It is
// errors.ErrUnsupported where the net.Conn has no CloseWrite.
func (c *Conn) SendEOF(ctx context.Context) error {
	d := &c.tx.direction
	if err := c.enter(ctx, d); err != nil {
		return err
	}
	defer c.tx.guard.Leave()
	if c.tx.closer == nil {
		return errors.ErrUnsupported
	}
	if c.tx.eof.Load() == eofSent {
		return nil
	}
	if !c.tx.socket.ok() && c.tx.trier == nil && !d.suits(ctx) { // those do not wait here
		d.clear()
		d.arm(ctx)
	}
	c.tx.eof.Store(eofUnderway)
	_, err := c.park(ctx, d, (*Conn).closeWrite, nil)
	d.settle()
	if err == nil {
		c.tx.eof.Store(eofSent)
		return nil
	}
	c.tx.eof.Store(eofNone)
	if errors.Is(err, errors.ErrUnsupported) {
		return errors.ErrUnsupported
	}
	return c.verdict(ctx, err, &c.rx.direction)
}

func (c *Conn) closeWrite([]byte) (int, error) { return 0, c.tx.closer.CloseWrite() }
