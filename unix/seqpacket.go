package unix

import (
	"context"
	"net"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
)

// A SeqpacketConn is a connection of a Unix socket that carries packets in
// order and loses none, SOCK_SEQPACKET. A packet may be empty. One goroutine
// may receive while another sends, and any may close. Linux.
type SeqpacketConn struct {
	io      ctxio.Conn
	packets *packetIO
	place   *place
	info    sockattr.Info
	facts   attr.Set
}

var seqpacketFacts = attr.Define(sockattr.Facts(func(c *SeqpacketConn) *sockattr.Info { return &c.info })...)

var _ stream.ObjectStream[[]byte] = (*SeqpacketConn)(nil)

// DialSeqpacket is [Dial] for a socket that carries packets in order.
func DialSeqpacket(ctx context.Context, name string, cfg *DialConfig) (*SeqpacketConn, error) {
	if err := seqpacketSupported(); err != nil {
		return nil, err
	}
	conn, p, err := dial(ctx, "unixpacket", name, orZero(cfg))
	if err != nil {
		return nil, err
	}
	return newSeqpacket(conn, p)
}

// A SeqpacketConnector dials the same name whenever it is asked to. Several
// goroutines may ask.
type SeqpacketConnector struct {
	Name   string
	Config *DialConfig // nil means all defaults
}

var _ stream.Connector[*SeqpacketConn] = (*SeqpacketConnector)(nil)

// Connect is [DialSeqpacket].
func (c *SeqpacketConnector) Connect(ctx context.Context) (*SeqpacketConn, error) {
	return DialSeqpacket(ctx, c.Name, c.Config)
}

func newSeqpacket(conn *net.UnixConn, p *place) (*SeqpacketConn, error) {
	packets, err := newPacketIO(conn)
	if err != nil {
		p.leave()
		_ = conn.Close()
		return nil, err
	}
	c := &SeqpacketConn{packets: packets, place: p, info: infoOf(conn)}
	c.io.Init(packets)
	seqpacketFacts.Init(&c.facts, c)
	return c, nil
}

// one is what the engine, which counts bytes, takes a packet for.
var one = []byte{0}

// Receive returns the next packet, whole and in memory of its own. It returns
// io.EOF once the peer has ended its direction. A canceled Receive has taken
// nothing. Files that came with a packet are closed.
func (c *SeqpacketConn) Receive(ctx context.Context) ([]byte, error) {
	var packet []byte
	_, err := c.io.ReceiveBy(ctx, one, func([]byte) (int, error) {
		var err error
		if packet, err = c.packets.receive(); err != nil {
			return 0, err
		}
		return 1, nil
	})
	return packet, err
}

// Send sends p as one packet, all or nothing; nothing, if the Send was
// canceled. It copies p. A packet that no socket buffer holds is
// syscall.EMSGSIZE, and the connection lives on.
func (c *SeqpacketConn) Send(ctx context.Context, p []byte) error {
	var tooLong error
	_, err := c.io.SendBy(ctx, one, func([]byte) (int, error) {
		var err error
		if tooLong, err = c.packets.send(p); err != nil {
			return 0, err
		}
		return 1, nil
	})
	if err != nil {
		return err
	}
	return tooLong
}

// SendEOF ends our direction, behind everything sent before. It does not
// wait, and receiving goes on.
func (c *SeqpacketConn) SendEOF(ctx context.Context) error { return c.io.SendEOF(ctx) }

// Close closes the connection. The peer still receives what was sent, unless
// packets are left that nobody received here.
func (c *SeqpacketConn) Close() error {
	c.place.leave()
	return c.io.Close()
}

// Attributes are those in the variables of this package. All are fixed.
func (c *SeqpacketConn) Attributes() *attr.Set { return &c.facts }

// A SeqpacketListener accepts connections that carry packets in order.
// Several goroutines may accept at once.
type SeqpacketListener struct {
	accepting
	facts attr.Set
}

var seqpacketListenerFacts = attr.Define(append(
	sockattr.Facts(func(l *SeqpacketListener) *sockattr.Info { return &l.info }),
	fileFact(func(l *SeqpacketListener) *place { return l.place }),
)...)

var _ stream.Listener[*SeqpacketConn] = (*SeqpacketListener)(nil)

// ListenSeqpacket is [Listen] for a socket that carries packets in order.
func ListenSeqpacket(ctx context.Context, name string, cfg *ListenConfig) (*SeqpacketListener, error) {
	if err := seqpacketSupported(); err != nil {
		return nil, err
	}
	ln, p, err := listen(ctx, "unixpacket", name, orZero(cfg))
	if err != nil {
		return nil, err
	}
	return wrapSeqpacketListener(ln, p), nil
}

func wrapSeqpacketListener(ln *net.UnixListener, p *place) *SeqpacketListener {
	l := new(SeqpacketListener)
	l.init(ln, p)
	seqpacketListenerFacts.Init(&l.facts, l)
	return l
}

// Accept waits for the next connection. A canceled Accept has taken none.
// Errors of the system, such as EMFILE, leave the listener as it is.
func (l *SeqpacketListener) Accept(ctx context.Context) (*SeqpacketConn, error) {
	conn, err := l.io.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return newSeqpacket(conn.(*net.UnixConn), nil)
}

// Attributes are LocalAddr, Family and RawConn. All are fixed.
func (l *SeqpacketListener) Attributes() *attr.Set { return &l.facts }
