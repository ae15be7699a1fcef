package udp

import (
	"context"
	"net"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
)

// A Conn is a UDP socket. One goroutine may receive while any number send,
// and any may close.
type Conn struct {
	io    ctxio.Packets
	rx    receiver
	tx    sender
	conn  *net.UDPConn
	info  sockattr.Info
	facts attr.Set
}

var connFacts = attr.Define(append(
	sockattr.Facts(func(c *Conn) *sockattr.Info { return &c.info }),
	attr.From(Dropped, (*Conn).dropped),
)...)

var _ stream.PacketStream[Packet] = (*Conn)(nil)

// Wrap returns conn as a packet stream. It takes conn over, whose deadlines it
// clears, and panics when conn is nil. Packets have their Local, Interface and
// TOS if conn has the options for that.
func Wrap(conn *net.UDPConn) *Conn {
	if conn == nil {
		panic("udp: Wrap: nil conn")
	}
	c := &Conn{conn: conn, info: sockattr.Of(conn)}
	c.rx.init(conn, c.info.Raw)
	c.tx.init(conn, c.info.Raw)
	c.io.Init(conn)
	connFacts.Init(&c.facts, c)
	return c
}

// Receive returns the next packet, whole and in memory of its own. A canceled
// Receive has taken none. The error is stream.ErrBusy while somebody else
// receives.
func (c *Conn) Receive(ctx context.Context) (Packet, error) {
	var p Packet
	err := c.receive(ctx, &p, true)
	return p, err
}

// ReceiveInto is Receive into the memory of p.Data, which may have up to
// cap(p.Data) bytes, and not 0, which is stream.ErrEmptyBuffer. It allocates
// nothing. If the packet has more, p holds what fits and the error is a
// [*TruncatedError]. With any other error p is as it was.
func (c *Conn) ReceiveInto(ctx context.Context, p *Packet) error {
	if cap(p.Data) == 0 {
		return stream.ErrEmptyBuffer
	}
	return c.receive(ctx, p, false)
}

func (c *Conn) receive(ctx context.Context, p *Packet, whole bool) error {
	if err := c.io.BeginReceive(ctx); err != nil {
		return err
	}
	defer c.io.EndReceive()
	c.rx.begin(p, whole)
	err := c.io.Receive(ctx, &c.rx.call)
	if cut := c.rx.end(p); err == nil {
		err = cut
	}
	return err
}

// Send sends p. Several goroutines may send, in turn. A canceled Send has sent
// nothing. An error, such as EMSGSIZE for a packet that is too long, or
// ECONNREFUSED for an earlier one that a connected peer did not take, is that of
// this call alone.
func (c *Conn) Send(ctx context.Context, p Packet) error {
	if err := c.io.BeginSend(ctx); err != nil {
		return err
	}
	defer c.io.EndSend()
	c.tx.begin(&p)
	defer c.tx.end()
	return c.io.Send(ctx, &c.tx.call)
}

// ReceiveBatch waits for a packet, and returns as many as there are without
// waiting again, at most len(ps). Each goes into the memory of its Data, as
// with ReceiveInto. For those of the n packets that have not fit the error is a
// [*TruncatedError] each, joined. With any other error n is 0.
//
// Linux takes many packets in a system call; elsewhere it is one. The first
// call asks the kernel to join packets of one sender that come in a row (GRO),
// for which this Conn then keeps a buffer of 64 KiB, or else for several at
// once (recvmmsg).
func (c *Conn) ReceiveBatch(ctx context.Context, ps []Packet) (n int, err error) {
	if len(ps) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	for i := range ps {
		if cap(ps[i].Data) == 0 {
			return 0, stream.ErrEmptyBuffer
		}
	}
	if err := c.io.BeginReceive(ctx); err != nil {
		return 0, err
	}
	defer c.io.EndReceive()
	c.rx.beginBatch(ps)
	err = c.io.Receive(ctx, &c.rx.batch)
	n, cut := c.rx.endBatch()
	if err != nil {
		return 0, err
	}
	return n, cut
}

// SendBatch sends ps in order and returns how many of them it has sent. If
// that is not all, the error is that of packet n, or the context's.
//
// Linux takes many packets in a system call (sendmmsg), and of packets in a
// row with one receiver and one length, but for the last, which may be shorter,
// makes one (GSO) where the kernel has that. When a network device turns out
// not to, the packets are sent again without, and so are all that follow.
func (c *Conn) SendBatch(ctx context.Context, ps []Packet) (n int, err error) {
	if err := c.io.BeginSend(ctx); err != nil {
		return 0, err
	}
	defer c.io.EndSend()
	c.tx.beginBatch(ps)
	err = c.io.Send(ctx, &c.tx.batch)
	return c.tx.endBatch(), err
}

// Close closes the socket, so that its address can be bound again.
func (c *Conn) Close() error { return c.io.Close() }

// Attributes are those in the variables of this package.
func (c *Conn) Attributes() *attr.Set { return &c.facts }
