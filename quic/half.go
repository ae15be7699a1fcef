package quic

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	quicgo "github.com/quic-go/quic-go"

	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/stream"
)

// Each direction of a stream is a connection of its own to the engine in
// internal/ctxio, since in QUIC each fails by itself. What the engine works on
// is a net.Conn: receivingConn and sendingConn are as much of one as it uses.

// receiving is the direction of Receive.
type receiving struct {
	owner *Conn
	io    ctxio.Conn
	end   receivingConn
}

func (r *receiving) init(c *Conn, qs quicReceiver) {
	r.owner = c
	r.end = receivingConn{owner: c, qs: qs}
	r.io.Init(&r.end)
}

// Receive waits for bytes and puts them into p. It returns io.EOF once the
// peer has ended its direction, and a stream.BrokenError with a [*StreamError]
// once it has reset it; bytes that came before a reset and were not received by
// then are lost. A canceled Receive has taken nothing.
func (r *receiving) Receive(ctx context.Context, p []byte) (int, error) {
	if len(p) > 0 && r.owner.closed.Load() {
		return 0, closedError(ctx)
	}
	n, err := r.io.Receive(ctx, p)
	if err != nil {
		err = r.owner.answer(err)
	}
	return n, err
}

// WaitReceive waits until Receive would not block, and takes nothing. See
// [stream.WaitReceive].
func (r *receiving) WaitReceive(ctx context.Context) error {
	if r.owner.closed.Load() {
		return closedError(ctx)
	}
	err := r.io.WaitReceive(ctx)
	if err == nil && (r.io.Closed() || r.owner.closed.Load()) {
		return net.ErrClosed
	}
	return err
}

// sending is the direction of Send.
type sending struct {
	owner *Conn
	io    ctxio.Conn
	end   sendingConn
}

func (s *sending) init(c *Conn, qs quicSender) {
	s.owner = c
	s.end = sendingConn{owner: c, qs: qs}
	s.io.Init(&s.end)
}

// Send hands all of p to QUIC, or returns an error and how much of p it took.
// It waits while the peer's window, the network or its pace have no room.
// Taken does not mean delivered: when the stream is reset or the connection
// breaks, bytes that were taken may never arrive. A canceled Send has taken
// exactly the n bytes that it reports, and may be resumed with p[n:].
func (s *sending) Send(ctx context.Context, p []byte) (int, error) {
	if s.owner.closed.Load() {
		return 0, closedError(ctx)
	}
	n, err := s.io.Send(ctx, p)
	if err != nil {
		err = s.owner.answer(err)
	}
	return n, err
}

// TrySend hands to QUIC what the peer's window has room for, without waiting.
// See [stream.TrySend].
func (s *sending) TrySend(p []byte) (int, error) {
	if s.owner.closed.Load() {
		return 0, net.ErrClosed
	}
	n, err := s.io.TrySend(p)
	if err != nil {
		err = s.owner.answer(err)
	}
	return n, err
}

// SendEOF ends our direction with a FIN, behind everything sent before. It
// does not wait. The other direction, of a stream that has one, goes on.
func (s *sending) SendEOF(ctx context.Context) error {
	if s.owner.closed.Load() {
		return closedError(ctx)
	}
	if err := s.io.SendEOF(ctx); err != nil {
		return s.owner.answer(err)
	}
	return nil
}

// closedError is the answer of a call after Close.
func closedError(ctx context.Context) error {
	if err := stream.ContextError(ctx); err != nil {
		return err
	}
	return net.ErrClosed
}

// answer is what a stream says in place of err once this side has closed the
// connection.
func (c *Conn) answer(err error) error {
	if c.closed.Load() && (err == io.EOF || errors.Is(err, stream.ErrBroken)) {
		return net.ErrClosed
	}
	return err
}

// A quicReceiver is a *quicgo.Stream or *quicgo.ReceiveStream.
type quicReceiver interface {
	Read(p []byte) (int, error)
	Peek(p []byte) (int, error)
	CancelRead(quicgo.StreamErrorCode)
	SetReadDeadline(time.Time) error
}

// A receivingConn is a net.Conn that is read from.
type receivingConn struct {
	noConn
	owner *Conn
	qs    quicReceiver
	peek  [1]byte
}

func (c *receivingConn) Read(p []byte) (int, error) {
	n, err := c.qs.Read(p)
	return n, c.owner.streamFault(err, false)
}

// WaitRead waits until Read would not. What it would return is for it to tell.
func (c *receivingConn) WaitRead() error {
	if _, err := c.qs.Peek(c.peek[:]); errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil
}

func (c *receivingConn) SetReadDeadline(t time.Time) error { return c.qs.SetReadDeadline(t) }

// Close stops the peer, unless it has ended its direction.
func (c *receivingConn) Close() error { return c.Abort(nil) }

func (c *receivingConn) Abort(cause error) error {
	c.qs.CancelRead(quicgo.StreamErrorCode(codeOf(cause)))
	return nil
}

// A quicSender is a *quicgo.Stream or *quicgo.SendStream.
type quicSender interface {
	Write(p []byte) (int, error)
	TryWriteAll(p []byte) error
	CancelWrite(quicgo.StreamErrorCode)
	Close() error
	Context() context.Context
	SetWriteDeadline(time.Time) error
}

// A sendingConn is a net.Conn that is written to.
type sendingConn struct {
	noConn
	owner *Conn
	qs    quicSender
	state atomic.Uint32
}

// The states of a sendingConn.
const (
	idle uint32 = iota
	writing
	ended
)

// Write is never called twice at once.
func (c *sendingConn) Write(p []byte) (int, error) {
	if !c.state.CompareAndSwap(idle, writing) {
		return 0, net.ErrClosed
	}
	n, err := c.qs.Write(p)
	c.state.CompareAndSwap(writing, idle)
	if n == len(p) && n > 0 {
		return n, nil // a deadline that passed as the last byte was taken
	}
	return n, c.owner.streamFault(err, true)
}

// TryWrite takes what there is room for, in pieces since quic-go takes all of
// one or nothing.
func (c *sendingConn) TryWrite(p []byte) (n int, err error) {
	const piece = 1200
	if !c.state.CompareAndSwap(idle, writing) {
		return 0, net.ErrClosed
	}
	for n < len(p) && err == nil {
		next := p[n:min(n+piece, len(p))]
		if err = c.qs.TryWriteAll(next); err == nil {
			n += len(next)
		}
	}
	c.state.CompareAndSwap(writing, idle)
	if err == quicgo.ErrWouldBlock {
		return n, stream.ErrWouldBlock
	}
	return n, c.owner.streamFault(err, true)
}

// CloseWrite sends a FIN. Of a direction that has failed quic-go's Close does
// not tell why, or nothing.
func (c *sendingConn) CloseWrite() error {
	ctx := c.qs.Context()
	closed := c.qs.Close()
	if why := context.Cause(ctx); why != nil && why != quicgo.ErrStreamClosed {
		return c.owner.streamFault(why, true)
	}
	return closed
}

func (c *sendingConn) SetWriteDeadline(t time.Time) error { return c.qs.SetWriteDeadline(t) }

// Close ends the direction with a FIN. In the middle of a Write that would
// pass off a part for the whole, so the direction is reset then.
func (c *sendingConn) Close() error {
	if c.state.Swap(ended) == writing {
		c.qs.CancelWrite(0)
		return nil
	}
	_ = c.qs.Close() // fails if the peer has stopped us, which needs no FIN
	return nil
}

func (c *sendingConn) Abort(cause error) error {
	c.state.Store(ended)
	c.qs.CancelWrite(quicgo.StreamErrorCode(codeOf(cause)))
	return nil
}

// noConn is what of a net.Conn is not used.
type noConn struct{}

func (noConn) Read([]byte) (int, error)         { return 0, errors.ErrUnsupported }
func (noConn) Write([]byte) (int, error)        { return 0, errors.ErrUnsupported }
func (noConn) LocalAddr() net.Addr              { return nil }
func (noConn) RemoteAddr() net.Addr             { return nil }
func (noConn) SetDeadline(time.Time) error      { return errors.ErrUnsupported }
func (noConn) SetReadDeadline(time.Time) error  { return nil }
func (noConn) SetWriteDeadline(time.Time) error { return nil }
