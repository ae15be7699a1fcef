package netconn

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/internal/tlsattr"
	"github.com/strata-go/strata/stream"
)

// A Conn is a stream as a net.Conn, made by [From]. As net.Conn demands, any
// number of goroutines may call its methods. How it differs from other
// net.Conns:
//
//   - Concurrent calls of Read, or of Write, take turns.
//   - A Read or Write whose deadline has passed does nothing even if it could.
//   - After a Write that timed out the stream may be broken, where its Send
//     says so.
//   - It has attributes: it is an attr.Provider.
type Conn struct {
	s             stream.ByteStream
	local, remote net.Addr
	read, write   half
	closed        atomic.Bool
}

// A TLSConn is a Conn whose stream has TLS in it. Its ConnectionState makes
// net/http set Request.TLS.
type TLSConn struct {
	Conn
	state cryptotls.ConnectionState
}

var (
	_ net.Conn       = (*Conn)(nil)
	_ net.Conn       = (*TLSConn)(nil)
	_ attr.Provider  = (*Conn)(nil)
	_ stream.Aborter = (*Conn)(nil)
)

// From makes a net.Conn of s and takes s over. It is a *[TLSConn] if s has
// the attribute tls.State, that is, TLS in it and the handshake done, and else
// a *[Conn]. It panics when s is nil.
func From(s stream.ByteStream) net.Conn {
	if s == nil {
		panic("netconn: From: nil s")
	}
	if state, ok := tlsattr.State.Lookup(s); ok {
		c := &TLSConn{state: state}
		c.init(s)
		return c
	}
	c := new(Conn)
	c.init(s)
	return c
}

// ConnectionState returns what the handshake settled.
func (c *TLSConn) ConnectionState() cryptotls.ConnectionState { return c.state }

func (c *Conn) init(s stream.ByteStream) {
	c.s = s
	c.local, c.remote = addrOf(s, sockattr.LocalAddr), addrOf(s, sockattr.RemoteAddr)
	c.read.init()
	c.write.init()
}

// Attributes are those of the stream.
func (c *Conn) Attributes() *attr.Set { return c.s.Attributes() }

// Read receives. Of an empty p it is 0 and nil.
func (c *Conn) Read(p []byte) (int, error) {
	ctx := c.read.deadline.context()
	if err := c.read.enter(ctx); err != nil {
		return 0, c.opError("read", err)
	}
	defer c.read.leave()
	n, err := c.s.Receive(ctx, p)
	if errors.Is(err, stream.ErrEmptyBuffer) {
		err = nil
	}
	return n, c.opError("read", err)
}

// Write sends all of p, or returns an error and how much of it was sent.
func (c *Conn) Write(p []byte) (int, error) {
	ctx := c.write.deadline.context()
	if err := c.write.enter(ctx); err != nil {
		return 0, c.opError("write", err)
	}
	defer c.write.leave()
	n, err := c.s.Send(ctx, p)
	return n, c.opError("write", err)
}

// CloseWrite ends the sending direction, within the write deadline. Where the
// stream cannot, the error is errors.ErrUnsupported.
func (c *Conn) CloseWrite() error {
	ctx := c.write.deadline.context()
	if err := c.write.enter(ctx); err != nil {
		return c.opError("close", err)
	}
	defer c.write.leave()
	return c.opError("close", c.s.SendEOF(ctx))
}

// Close closes the stream. Calls under way return net.ErrClosed. Again it is
// nil.
func (c *Conn) Close() error { return c.end(c.s.Close) }

// Abort aborts the stream, see stream.Abort.
func (c *Conn) Abort(cause error) error {
	return c.end(func() error { return stream.Abort(c.s, cause) })
}

func (c *Conn) end(closeStream func() error) error {
	c.closed.Store(true)
	err := closeStream()
	c.read.deadline.stop()
	c.write.deadline.stop()
	return c.opError("close", err)
}

// LocalAddr returns the attribute [LocalAddr], or else an address whose
// network and text are "stream".
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is LocalAddr for the attribute [RemoteAddr].
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets the deadline of Read and Write, also of calls under way.
// Zero means none.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline is SetDeadline for Read.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadline(&c.read, t) }

// SetWriteDeadline is SetDeadline for Write and CloseWrite.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.write, t) }

func (c *Conn) setDeadline(h *half, t time.Time) error {
	if c.closed.Load() {
		return c.opError("set", net.ErrClosed)
	}
	h.deadline.set(t)
	if c.closed.Load() {
		h.deadline.stop() // Close may have come before set
	}
	return nil
}

// opError gives err the form of net's own errors. Callers of net.Conn look
// for net.Error, some of them without errors.As.
func (c *Conn) opError(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = os.ErrDeadlineExceeded
	}
	return &net.OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.remote, Err: err}
}

// half is one direction of a Conn.
type half struct {
	turn     chan struct{} // holds a value while a call is under way
	deadline deadline
}

func (h *half) init() {
	h.turn = make(chan struct{}, 1)
	h.deadline.renew()
}

// enter waits for our turn. It blocks on a channel, not on a mutex, so that a
// bubble of testing/synctest knows it for waiting.
func (h *half) enter(ctx context.Context) error {
	select {
	case h.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return os.ErrDeadlineExceeded
	}
}

func (h *half) leave() { <-h.turn }

func addrOf(p attr.Provider, k attr.Key[net.Addr]) net.Addr {
	if a, ok := k.Lookup(p); ok {
		return a
	}
	return noAddr{}
}

// noAddr is the address of streams that have none.
type noAddr struct{}

func (noAddr) Network() string { return "stream" }
func (noAddr) String() string  { return "stream" }
