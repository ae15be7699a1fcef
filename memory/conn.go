package memory

import (
	"context"
	"io"
	"net"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
)

// A Conn is one end of a connection in memory, made by [Pipe] or by a
// [Listener]. One goroutine may receive while another sends, and any may
// close.
//
// Once the peer has closed, Receive returns what the peer had sent and io.EOF
// after that, while Send is a [*stream.BrokenError] whose cause is
// io.ErrClosedPipe. Once the peer has aborted, both directions are broken with
// the peer's cause.
type Conn struct {
	pipe          *pipe
	peer          *Conn
	in, out       *flow
	local, remote net.Addr // each an Addr, put into the interface once

	closed bool                // by Close or Abort of this end
	broken *stream.BrokenError // what either direction met first
	eof    bool                // Receive has returned io.EOF, and always will

	facts attr.Set
}

var connFacts = attr.Define(
	attr.Value(sockattr.LocalAddr, func(c *Conn) net.Addr { return c.local }),
	attr.Value(sockattr.RemoteAddr, func(c *Conn) net.Addr { return c.remote }),
)

var (
	_ stream.ByteStream    = (*Conn)(nil)
	_ stream.ReceiveWaiter = (*Conn)(nil)
	_ stream.BuffersSender = (*Conn)(nil)
	_ stream.TrySender     = (*Conn)(nil)
	_ stream.Aborter       = (*Conn)(nil)
)

// Receive waits for bytes and puts them into p. A canceled Receive has taken
// nothing.
func (c *Conn) Receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	if err := c.enter(ctx, &c.in.receiver); err != nil {
		return 0, err
	}
	defer c.leave(&c.in.receiver)
	for {
		if n := c.in.take(p); n > 0 {
			return n, nil
		}
		if err := c.receiveError(); err != nil {
			c.eof = err == io.EOF
			return 0, err
		}
		c.in.want = p
		err := c.wait(ctx, &c.in.receiver)
		if n := c.in.given(); n > 0 {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// WaitReceive waits until Receive would not block, see [stream.WaitReceive].
// In lockstep, bytes that a Send offers may be gone again when that is
// canceled.
func (c *Conn) WaitReceive(ctx context.Context) error {
	if err := c.enter(ctx, &c.in.receiver); err != nil {
		return err
	}
	defer c.leave(&c.in.receiver)
	for !c.in.readable() && c.receiveError() == nil {
		if err := c.wait(ctx, &c.in.receiver); err != nil {
			return err
		}
	}
	return nil
}

// Send puts p into the buffer and waits while that is full; in lockstep it
// waits until the peer has received all of p. With an error, n is exactly how
// many bytes the peer has received or may still receive.
func (c *Conn) Send(ctx context.Context, p []byte) (int, error) {
	if err := c.enter(ctx, &c.out.sender); err != nil {
		return 0, err
	}
	defer c.leave(&c.out.sender)
	return c.send(ctx, p)
}

// SendBuffers sends bufs in order, as one Send: no other can come between
// them.
func (c *Conn) SendBuffers(ctx context.Context, bufs [][]byte) (int64, error) {
	if err := c.enter(ctx, &c.out.sender); err != nil {
		return 0, err
	}
	defer c.leave(&c.out.sender)
	if len(bufs) == 0 {
		return 0, c.sendError()
	}
	var sent int64
	for i, p := range bufs {
		if i > 0 && len(p) == 0 {
			continue // it could only fail what is sent already
		}
		n, err := c.send(ctx, p)
		sent += int64(n)
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// TrySend sends what there is room for now: in the buffer, and in a Receive
// of the peer's that waits, which in lockstep is all there is. The error is
// [stream.ErrWouldBlock] when that is less than all of p.
func (c *Conn) TrySend(p []byte) (int, error) {
	if err := c.enter(context.Background(), &c.out.sender); err != nil {
		return 0, err
	}
	defer c.leave(&c.out.sender)
	if err := c.sendError(); err != nil {
		return 0, err
	}
	rest := c.out.offer(p)
	if len(rest) > 0 {
		return len(p) - len(rest), stream.ErrWouldBlock
	}
	return len(p), nil
}

// SendEOF ends the sending direction: the peer receives what was sent and then
// io.EOF. It never waits, and succeeds also when the peer has closed.
func (c *Conn) SendEOF(ctx context.Context) error {
	if err := c.enter(ctx, &c.out.sender); err != nil {
		return err
	}
	defer c.leave(&c.out.sender)
	if c.out.ended {
		return nil
	}
	if c.broken != nil {
		return c.broken
	}
	c.out.end()
	return nil
}

// Close ends both directions and wakes every call that waits on this end with
// net.ErrClosed. The peer receives what was sent and then io.EOF; what it sent
// and nobody received is discarded, and its next Send, or the one that waits,
// finds the connection broken. The error is always nil.
func (c *Conn) Close() error {
	c.pipe.mu.Lock()
	defer c.pipe.mu.Unlock()
	if !c.closed {
		c.close()
	}
	return nil
}

// Abort is Close, but that the peer finds the connection broken by cause once
// it has received what was sent. The error is always nil.
func (c *Conn) Abort(cause error) error {
	c.pipe.mu.Lock()
	defer c.pipe.mu.Unlock()
	if !c.closed {
		c.peer.fail(cause)
		c.close()
	}
	return nil
}

// Attributes are netconn.LocalAddr and netconn.RemoteAddr, each an [Addr].
func (c *Conn) Attributes() *attr.Set { return &c.facts }

// The methods below are called with the lock held, but for enter, which takes
// it, and leave, which gives it up.

// enter answers in the order of the contract, line 1.
func (c *Conn) enter(ctx context.Context, s *seat) error {
	if err := stream.ContextError(ctx); err != nil {
		return err
	}
	c.pipe.mu.Lock()
	switch {
	case c.closed:
		c.pipe.mu.Unlock()
		return net.ErrClosed
	case s.taken:
		c.pipe.mu.Unlock()
		return stream.ErrBusy
	}
	s.taken = true
	return nil
}

func (c *Conn) leave(s *seat) {
	s.taken = false
	c.pipe.mu.Unlock()
}

// wait waits until s is called. Its error is why not to wait again.
func (c *Conn) wait(ctx context.Context, s *seat) error {
	err := c.pipe.wait(ctx, s)
	if err == nil && c.closed {
		return net.ErrClosed
	}
	return err
}

// send sends one buffer. Its outcome is fixed when the last byte is taken,
// whatever happens before the call runs again.
func (c *Conn) send(ctx context.Context, p []byte) (int, error) {
	err := c.sendError()
	if err != nil {
		return 0, err
	}
	c.out.pending = c.out.offer(p)
	for len(c.out.pending) > 0 && err == nil {
		if err = c.wait(ctx, &c.out.sender); err == nil && len(c.out.pending) > 0 {
			err = c.sendError()
		}
	}
	rest := len(c.out.pending)
	c.out.pending = nil
	if rest == 0 {
		return len(p), nil
	}
	return len(p) - rest, err
}

// sendError returns why nothing can be sent.
func (c *Conn) sendError() error {
	if c.out.ended {
		return net.ErrClosed
	}
	if c.out.gone {
		c.fail(io.ErrClosedPipe)
	}
	if c.broken != nil {
		return c.broken
	}
	return nil
}

// receiveError returns why nothing follows what is readable.
func (c *Conn) receiveError() error {
	switch {
	case c.eof:
		return io.EOF
	case c.broken != nil:
		return c.broken
	case c.in.ended:
		return io.EOF
	}
	return nil
}

// fail breaks this end, unless it is broken already. Nobody need be called:
// the peer's close, which comes with every failure, does that.
func (c *Conn) fail(cause error) {
	if c.broken == nil {
		c.broken = stream.Broken(cause)
	}
}

// close ends this end. A Send of the peer's that waits has thereby met the
// failure, and the peer's Receive returns it too, whichever runs first.
func (c *Conn) close() {
	c.closed = true
	if len(c.peer.out.pending) > 0 {
		c.peer.fail(io.ErrClosedPipe)
	}
	c.out.end()
	c.in.drop()
}
