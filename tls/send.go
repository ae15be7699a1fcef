package tls

import (
	"context"
	"net"

	"github.com/strata-go/strata/stream"
)

// sealedAtOnce is how much plaintext Send makes records of before it hands
// them to the transport: four full ones.
const sealedAtOnce = 4 * maxPlaintext

// maxOverhead is more than a record has over its plaintext, in any cipher
// suite: the header, an IV, a MAC, padding.
const maxOverhead = 128

// Send encrypts p and hands it to the transport, up to 64 KiB at a time.
//
// A canceled Send leaves the connection usable. n counts what was encrypted,
// all of which the peer will get: records that the transport did not take go
// first with the next Send, SendEOF or Shutdown. So n may be len(p) although
// there is an error. Resume with p[n:]; Send of an empty p only flushes.
func (c *Conn) Send(ctx context.Context, p []byte) (int, error) {
	if err := c.enterSend(ctx); err != nil {
		return 0, err
	}
	defer c.sending.Leave()
	if len(p) == 0 || c.out.stuck.Load() {
		// A Send that is canceled again and again must not pile up records.
		if err := c.flush(ctx); err != nil {
			return 0, err
		}
	}
	sent := 0
	for sent < len(p) {
		n, err := c.seal(p[sent:min(len(p), sent+sealedAtOnce)])
		sent += n
		if err != nil {
			return sent, err
		}
		if err := c.flush(ctx); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// enterSend lets a call send, if anything can still be sent.
func (c *Conn) enterSend(ctx context.Context) error {
	err := stream.Enter(ctx, &c.sending, &c.closed)
	switch {
	case err == nil:
		if err = c.sendingOver(); err != nil {
			c.sending.Leave()
		}
	case err == stream.ErrBusy && c.eof.Load():
		return net.ErrClosed // which comes first
	}
	return err
}

// sendingOver tells why nothing can be sent any more.
func (c *Conn) sendingOver() error {
	if c.closed.Load() || c.eof.Load() {
		return net.ErrClosed
	}
	if b := c.broken.Load(); b != nil {
		return b
	}
	return nil
}

// seal puts p into the queue as records.
func (c *Conn) seal(p []byte) (n int, err error) {
	records := (len(p) + maxPlaintext - 1) / maxPlaintext
	c.out.reserve(len(p) + records*maxOverhead)
	for n < len(p) {
		m, err := c.std.Write(p[n:min(len(p), n+maxPlaintext)])
		n += m
		if err != nil {
			// Receive met something that ended the session.
			return n, c.sendError(context.Background(), err)
		}
	}
	return n, nil
}

func (c *Conn) flush(ctx context.Context) error {
	if err := c.out.flush(ctx); err != nil {
		return c.sendError(ctx, err)
	}
	return nil
}

func (c *Conn) sendError(ctx context.Context, err error) error {
	switch {
	case c.closed.Load():
		return net.ErrClosed
	case passing(ctx, err):
		return err
	}
	return c.fail(err)
}

// SendEOF sends close_notify, behind what a canceled Send left. It ends the
// sending direction only, and does not touch the transport's: receiving goes
// on, and so could plaintext, see [Conn.Unwrap]. After a cancel the next call
// finishes the job.
func (c *Conn) SendEOF(ctx context.Context) error {
	if err := stream.Enter(ctx, &c.sending, &c.closed); err != nil {
		return err
	}
	defer c.sending.Leave()
	if !c.eof.Load() {
		if b := c.broken.Load(); b != nil {
			return b
		}
		if err := c.writeGoodbye(); err != nil {
			return c.sendError(ctx, err)
		}
	}
	return c.flush(ctx)
}

// writeGoodbye puts close_notify into the queue, once.
func (c *Conn) writeGoodbye() error {
	if c.eof.Swap(true) {
		return nil
	}
	defer c.out.end()
	return c.std.CloseWrite()
}
