package unix

import (
	"context"
	"net"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
)

// A Packet is what a [PacketConn] carries.
type Packet struct {
	// Data may be empty.
	Data []byte

	// Addr is the name of the sender of a packet that was received, empty if
	// it has none, and of the receiver of one to be sent; there it is empty
	// on a PacketConn that was dialed.
	Addr string
}

// A TruncatedError reports that a packet did not fit into the buffer of a
// [PacketConn.ReceiveInto]. Length is that of the packet, 0 where the system
// does not tell, and Room that of the buffer.
type TruncatedError = ctxio.TruncatedError

// A PacketConn sends and receives single packets, SOCK_DGRAM. None is lost on
// the way, but those that nobody received by Close are. One goroutine may
// receive while any number send, and any may close. Not on Windows.
type PacketConn struct {
	io    ctxio.Packets
	rx    packetReceiver
	tx    packetSender
	place *place
	info  sockattr.Info
	facts attr.Set
}

var packetFacts = attr.Define(append(
	sockattr.Facts(func(c *PacketConn) *sockattr.Info { return &c.info }),
	fileFact(func(c *PacketConn) *place { return c.place }),
)...)

var _ stream.PacketStream[Packet] = (*PacketConn)(nil)

// ListenPacket opens a socket at name that receives from everybody who may
// write to it. LocalAddr tells the name that an empty one became. The context
// bounds the call alone.
func ListenPacket(ctx context.Context, name string, cfg *ListenConfig) (*PacketConn, error) {
	if err := packetsSupported(); err != nil {
		return nil, err
	}
	name, err := spellOwn(name)
	if err != nil {
		return nil, err
	}
	c := orZero(cfg)
	if err := c.noBacklog(); err != nil {
		return nil, err
	}
	conn, p, err := claim(ctx, name, c, func(ctl control) (net.PacketConn, error) {
		lc := net.ListenConfig{Control: ctl}
		return lc.ListenPacket(ctx, "unixgram", name)
	})
	if err != nil {
		return nil, fault(ctx, "listen "+name, err)
	}
	return newPacketConn(conn.(*net.UnixConn), p)
}

// DialPacket opens a socket that sends to the one at name, and on Linux
// receives from that one alone. The context bounds the call alone.
func DialPacket(ctx context.Context, name string, cfg *DialConfig) (*PacketConn, error) {
	if err := packetsSupported(); err != nil {
		return nil, err
	}
	conn, p, err := dial(ctx, "unixgram", name, orZero(cfg))
	if err != nil {
		return nil, err
	}
	return newPacketConn(conn, p)
}

// A PacketConnector opens a socket to the same name whenever it is asked to.
// Several goroutines may ask.
type PacketConnector struct {
	Name   string
	Config *DialConfig // nil means all defaults
}

var _ stream.Connector[*PacketConn] = (*PacketConnector)(nil)

// Connect is [DialPacket].
func (c *PacketConnector) Connect(ctx context.Context) (*PacketConn, error) {
	return DialPacket(ctx, c.Name, c.Config)
}

func newPacketConn(conn *net.UnixConn, p *place) (*PacketConn, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		p.leave()
		_ = conn.Close()
		return nil, err
	}
	c := &PacketConn{place: p, info: infoOf(conn)}
	c.rx.init(conn, raw)
	c.tx.init(conn, raw)
	c.io.Init(conn)
	packetFacts.Init(&c.facts, c)
	return c, nil
}

// Receive returns the next packet, whole and in memory of its own. A canceled
// Receive has taken nothing. Files that came with it are closed. The error is
// stream.ErrBusy while somebody else receives.
func (c *PacketConn) Receive(ctx context.Context) (Packet, error) {
	var p Packet
	err := c.receive(ctx, &p, true)
	return p, err
}

// ReceiveInto is Receive into the memory of p.Data, which may have up to
// cap(p.Data) bytes, and not 0, which is stream.ErrEmptyBuffer. If the packet
// has more, p holds what fits and the error is a [*TruncatedError]. With any
// other error p is as it was.
func (c *PacketConn) ReceiveInto(ctx context.Context, p *Packet) error {
	if cap(p.Data) == 0 {
		return stream.ErrEmptyBuffer
	}
	return c.receive(ctx, p, false)
}

func (c *PacketConn) receive(ctx context.Context, p *Packet, whole bool) error {
	if err := c.io.BeginReceive(ctx); err != nil {
		return err
	}
	defer c.io.EndReceive()
	c.rx.begin(p.Data[:cap(p.Data)], whole)
	err := c.io.Receive(ctx, &c.rx.call)
	if cut := c.rx.take(p); err == nil {
		err = cut
	}
	return err
}

// Send sends p. It waits while the receiver's queue is full, and a canceled
// Send has sent nothing. Several goroutines may send, in turn. That the
// receiver is gone (ECONNREFUSED, ENOENT) or that the packet is too long
// (EMSGSIZE) is the error of this call alone.
func (c *PacketConn) Send(ctx context.Context, p Packet) error {
	to := ""
	if p.Addr != "" {
		var err error
		if to, err = spell(p.Addr); err != nil {
			return err
		}
	}
	if err := c.io.BeginSend(ctx); err != nil {
		return err
	}
	defer c.io.EndSend()
	c.tx.data, c.tx.to = p.Data, to
	defer func() { c.tx.data = nil }()
	return c.io.Send(ctx, &c.tx.call)
}

// Close closes the socket, and removes its file unless another one took its
// place.
func (c *PacketConn) Close() error {
	c.place.leave()
	return c.io.Close()
}

// Attributes are those in the variables of this package. All are fixed.
func (c *PacketConn) Attributes() *attr.Set { return &c.facts }
