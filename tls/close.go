package tls

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/strata-go/strata/stream"
)

// farewellTime is for how long a farewell is offered to a peer that may not
// be listening.
const farewellTime = 100 * time.Millisecond

// Close closes the connection and the transport. It does not wait for the
// peer: close_notify is offered for at most 100 ms, and only if no Send is in
// progress and none was canceled with records left over. Without it the peer
// sees a truncated stream. To be sure that the peer got everything, use
// [Conn.Shutdown].
func (c *Conn) Close() error {
	return c.release(func() error {
		c.offerGoodbye()
		return c.s.Close()
	})
}

// Abort closes the connection without a goodbye, and aborts the transport with
// the given cause. The peer sees [stream.ErrBroken].
func (c *Conn) Abort(cause error) error {
	return c.release(func() error { return stream.Abort(c.s, cause) })
}

// Shutdown ends the connection gracefully: it sends close_notify, receives,
// discarding what comes, until the peer says close_notify too, and closes. It
// closes also when ctx is done before that, or another error comes up.
func (c *Conn) Shutdown(ctx context.Context) error {
	err := c.SendEOF(ctx)
	if err == nil {
		err = c.receiveEnd(ctx)
	}
	return errors.Join(err, c.Close())
}

func (c *Conn) receiveEnd(ctx context.Context) error {
	b := borrow(recordSize)
	defer giveBack(b)
	for {
		_, err := c.Receive(ctx, b[:maxPlaintext])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// release runs end once. Everybody else waits until it is done: not for a mutex,
// which would stop the clock of a testing/synctest bubble.
func (c *Conn) release(end func() error) error {
	if c.closed.Swap(true) {
		c.released.Wait()
		return nil
	}
	defer c.released.Done()
	return end()
}

// offerGoodbye sends close_notify, or the alert that a failed Receive left.
func (c *Conn) offerGoodbye() {
	if c.out.stuck.Load() || c.sending.Enter() != nil {
		return
	}
	defer c.sending.Leave()
	if c.broken.Load() == nil {
		_ = c.writeGoodbye()
	}
	if c.out.try() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), farewellTime)
	defer cancel()
	_ = c.out.flush(ctx)
}
