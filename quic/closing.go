package quic

import (
	"context"
	"errors"
	"time"

	quicgo "github.com/quic-go/quic-go"

	"github.com/strata-go/strata/stream"
)

// Close closes the connection, and all its streams, with code 0. It does not
// wait: what was sent on streams and has not been delivered yet is lost, and
// the peer finds the streams that have not come to their end broken. To end in
// order, let the side close that receives last, or use [Conn.Shutdown]. When
// Close has returned, a socket that Dial opened is closed too.
func (c *Conn) Close() error { return c.Abort(nil) }

// Abort is Close with the [Code] that cause is or wraps. If that comes in an
// [*ApplicationError] the peer gets to see its Reason too, up to 256 bytes of
// it; what other errors say stays here.
func (c *Conn) Abort(cause error) error {
	c.closing.Lock()
	defer c.closing.Unlock()
	if c.closed.Swap(true) {
		return nil
	}
	c.packets.end()
	c.streams.end()
	// The error is always nil, and all that waits wakes.
	_ = c.qc.CloseWithError(quicgo.ApplicationErrorCode(codeOf(cause)), reasonOf(cause))
	c.leave()
	return nil
}

// Shutdown ends the connection in order, for the side that sends last. It
// closes [Conn.Streams], waits until the streams that came from there are
// closed, and lets what was sent arrive: for three times as long as QUIC waits
// for an acknowledgment before it asks for one (the probe timeout, RFC 9002
// section 6.2.1), which over a steady path is three round trips and 78 ms. The
// peer has that long to receive it, and what is lost twice on the way may be
// lost for good: QUIC does not tell what has arrived.
//
// Then it closes the connection, and also as soon as the peer has closed it,
// which is no error, or ctx is done, which is one: what was sent last may be
// lost then. Streams that came in other ways are the caller's to close first.
func (c *Conn) Shutdown(ctx context.Context) error {
	_ = c.streams.Close() // always nil
	select {
	case <-c.qc.Context().Done():
	case <-ctx.Done():
	}
	defer c.Close()
	if err := stream.ContextError(ctx); err != nil {
		return err
	}
	why := context.Cause(c.qc.Context())
	if _, ok := errors.AsType[*quicgo.ApplicationError](why); ok {
		return nil
	}
	return c.fail(why)
}

// closeSoon closes c when what was sent has had the time to arrive, or when it
// has ended.
func (c *Conn) closeSoon() {
	if c.qc.Context().Err() != nil {
		_ = c.Close() // always nil, as below
		return
	}
	later := time.AfterFunc(c.patience(), func() { _ = c.Close() })
	context.AfterFunc(c.qc.Context(), func() {
		if later.Stop() {
			_ = c.Close()
		}
	})
}

// patience is three probe timeouts (RFC 9002 section 6.2.1).
func (c *Conn) patience() time.Duration {
	const ackDelay, granularity, unknown = 25 * time.Millisecond, time.Millisecond, 333 * time.Millisecond
	s := c.qc.ConnectionStats()
	if s.SmoothedRTT == 0 { // in early data; section 6.2.2
		s.SmoothedRTT, s.MeanDeviation = unknown, unknown/2
	}
	return 3 * (s.SmoothedRTT + max(4*s.MeanDeviation, granularity) + ackDelay)
}
