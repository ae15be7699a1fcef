package tcp

import (
	"context"
	"net"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
)

// A Conn is a TCP connection. One goroutine may receive while another sends,
// and any may close.
type Conn struct {
	io    ctxio.Conn
	info  sockattr.Info
	race  *happyeyeballs.Report // nil if there was none
	facts attr.Set
}

var connFacts = attr.Define(append(
	sockattr.Facts(func(c *Conn) *sockattr.Info { return &c.info }),
	attr.From(Race, func(c *Conn) (*happyeyeballs.Report, error) {
		if c.race == nil {
			return nil, attr.ErrNotFound
		}
		return c.race, nil
	}),
)...)

var (
	_ stream.ByteStream    = (*Conn)(nil)
	_ stream.ReceiveWaiter = (*Conn)(nil)
	_ stream.BuffersSender = (*Conn)(nil)
	_ stream.TrySender     = (*Conn)(nil)
	_ stream.Aborter       = (*Conn)(nil)
)

// Wrap returns conn as a stream. It takes conn over, whose deadlines it clears,
// and panics when conn is nil.
func Wrap(conn *net.TCPConn) *Conn {
	if conn == nil {
		panic("tcp: Wrap: nil conn")
	}
	return wrap(conn, "", nil)
}

func wrap(conn *net.TCPConn, host string, race *happyeyeballs.Report) *Conn {
	c := &Conn{info: sockattr.Of(conn), race: race}
	c.info.Host = host
	c.io.Init(conn)
	connFacts.Init(&c.facts, c)
	return c
}

// Receive waits for bytes and puts them into p. It returns io.EOF once the
// peer has ended its direction. A canceled Receive has taken nothing.
func (c *Conn) Receive(ctx context.Context, p []byte) (int, error) { return c.io.Receive(ctx, p) }

// WaitReceive waits until Receive would not block, and takes nothing. See
// [stream.WaitReceive].
func (c *Conn) WaitReceive(ctx context.Context) error { return c.io.WaitReceive(ctx) }

// Send hands all of p to the kernel, or returns an error and how much it took.
// A canceled Send may be resumed with p[n:]. Taken does not mean delivered:
// when the connection breaks, bytes that were taken may never arrive.
func (c *Conn) Send(ctx context.Context, p []byte) (int, error) { return c.io.Send(ctx, p) }

// SendBuffers is Send for several buffers in one system call, writev(2), as
// far as the kernel takes them. See [stream.SendBuffers].
func (c *Conn) SendBuffers(ctx context.Context, bufs [][]byte) (int64, error) {
	return c.io.SendBuffers(ctx, bufs)
}

// TrySend hands to the kernel what it takes without waiting. See
// [stream.TrySend].
func (c *Conn) TrySend(p []byte) (int, error) { return c.io.TrySend(p) }

// SendEOF ends our direction with a FIN, behind everything sent before. It
// does not wait, and receiving goes on.
func (c *Conn) SendEOF(ctx context.Context) error { return c.io.SendEOF(ctx) }

// Close closes the connection. The kernel goes on sending what it has taken,
// unless bytes that nobody received are left, which makes it send a reset.
func (c *Conn) Close() error { return c.io.Close() }

// Abort closes the connection with a reset (SO_LINGER 0). What the kernel has
// not sent yet is discarded, and the peer finds the connection broken.
func (c *Conn) Abort(cause error) error { return c.io.Abort(cause) }

// Attributes are those in the variables of this package. All but Info are
// fixed.
func (c *Conn) Attributes() *attr.Set { return &c.facts }
