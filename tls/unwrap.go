package tls

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
)

// ErrUnreceived is what [Conn.Unwrap] returns while there is plaintext of the
// session to be received.
var ErrUnreceived = errors.New("tls: Unwrap: data is waiting to be received")

// Unwrap ends the session and gives the transport back: it sends close_notify,
// waits for the peer's, and returns the transport with what the peer sent
// behind that. From then on c answers net.ErrClosed, and does not close the
// transport.
//
// When the peer goes on sending, Unwrap takes none of it and returns
// [ErrUnreceived]: receive to io.EOF, then call it again. After a cancel, too,
// it can be called again. It belongs to both directions.
func (c *Conn) Unwrap(ctx context.Context) (*buffered.Stream, error) {
	if err := c.SendEOF(ctx); err != nil {
		return nil, err
	}
	if err := c.WaitReceive(ctx); err != nil {
		return nil, err
	}
	if err := stream.Enter(ctx, &c.receiving, &c.closed); err != nil {
		return nil, err
	}
	defer c.receiving.Leave()
	switch {
	case c.waited:
		return nil, ErrUnreceived
	case c.end != io.EOF:
		return nil, c.end
	case !c.leave():
		return nil, net.ErrClosed
	}
	b := buffered.New(c.s, nil)
	err := b.Feed(c.in.ahead[c.in.start:])
	if c.in.ahead != nil {
		c.in.release()
	}
	return b, err
}
