package unix

import (
	"context"
	"net"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
)

// A Conn is a connection of a Unix stream socket. One goroutine may receive
// while another sends, and any may close.
type Conn struct {
	io    ctxio.Conn
	conn  *net.UnixConn
	place *place
	info  sockattr.Info
	facts attr.Set
}

var connFacts = attr.Define(sockattr.Facts(func(c *Conn) *sockattr.Info { return &c.info })...)

var (
	_ stream.ByteStream    = (*Conn)(nil)
	_ stream.ReceiveWaiter = (*Conn)(nil)
	_ stream.BuffersSender = (*Conn)(nil)
	_ stream.TrySender     = (*Conn)(nil)
)

// Wrap returns conn as a stream. It takes conn over, whose deadlines it clears.
// It panics when conn is nil or not of a stream socket (net "unix").
func Wrap(conn *net.UnixConn) *Conn {
	if conn == nil {
		panic("unix: Wrap: nil conn")
	}
	if conn.LocalAddr().Network() != "unix" {
		panic("unix: Wrap: conn is " + conn.LocalAddr().Network() + ", not unix")
	}
	return wrap(conn, nil)
}

func wrap(conn *net.UnixConn, p *place) *Conn {
	c := &Conn{conn: conn, place: p, info: infoOf(conn)}
	c.io.Init(conn)
	connFacts.Init(&c.facts, c)
	return c
}

// Receive waits for bytes and puts them into p. It returns io.EOF once the
// peer has ended its direction. A canceled Receive has taken nothing. Files
// that came with the bytes are closed: to have them use [Conn.ReceiveFiles].
func (c *Conn) Receive(ctx context.Context, p []byte) (int, error) { return c.io.Receive(ctx, p) }

// WaitReceive waits until Receive would not block, and takes nothing. See
// [stream.WaitReceive].
func (c *Conn) WaitReceive(ctx context.Context) error { return c.io.WaitReceive(ctx) }

// Send hands all of p to the kernel, or returns an error and how much it took.
// A canceled Send may be resumed with p[n:]. What was taken is in the peer's
// socket, but nobody need have received it.
func (c *Conn) Send(ctx context.Context, p []byte) (int, error) { return c.io.Send(ctx, p) }

// SendBuffers is Send for several buffers in one system call, writev(2), as
// far as the kernel takes them. See [stream.SendBuffers].
func (c *Conn) SendBuffers(ctx context.Context, bufs [][]byte) (int64, error) {
	return c.io.SendBuffers(ctx, bufs)
}

// TrySend hands to the kernel what it takes without waiting. See
// [stream.TrySend].
func (c *Conn) TrySend(p []byte) (int, error) { return c.io.TrySend(p) }

// SendEOF ends our direction, behind everything sent before. It does not
// wait, and receiving goes on.
func (c *Conn) SendEOF(ctx context.Context) error { return c.io.SendEOF(ctx) }

// Close closes the connection. The peer still receives what was sent. If bytes
// are left that nobody received here, the peer then finds the connection
// broken; there is no other way to make it so, which is why stream.Abort is
// no more than Close.
func (c *Conn) Close() error {
	c.place.leave()
	return c.io.Close()
}

// Attributes are those in the variables of this package. All are fixed.
func (c *Conn) Attributes() *attr.Set { return &c.facts }
