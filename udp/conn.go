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

var connFacts = attr.Define(sockattr.Facts(func(c *Conn) *sockattr.Info { return &c.info })...)

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

func (c *Conn) receive(ctx context.Context, p *Packet, whole bool) (err error) {
	begin := func() { c.rx.begin(p, whole) }
	end := func() { err = c.rx.end(p) }
	if callErr := c.io.Receive(ctx, &c.rx.call, begin, end); callErr != nil {
		return callErr
	}
	return err
}

// Send sends p. Several goroutines may send, in turn. A canceled Send has sent
// nothing. An error, such as EMSGSIZE for a packet that is too long, or
// ECONNREFUSED for an earlier one that a connected peer did not take, is that of
// this call alone.
func (c *Conn) Send(ctx context.Context, p Packet) error {
	return c.io.Send(ctx, &c.tx.call, func() { c.tx.begin(&p) }, func() { c.tx.end() })
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
	begin := func() { c.rx.beginBatch(ps) }
	end := func() { n, err = c.rx.endBatch() }
	if callErr := c.io.Receive(ctx, &c.rx.batch, begin, end); callErr != nil {
		return 0, callErr
	}
	return n, err
}

// SendBatch sends ps in order and returns how many of them it has sent. If
// that is not all, the error is that of packet n, or the context's.
//
// Linux takes many packets in a system call (sendmmsg), and of packets in a
// row with one receiver and one length, but for the last, which may be shorter,
// makes one (GSO) where the kernel has that. When a network device turns out
// not to, the packets are sent again without, and so are all that follow.
func (c *Conn) SendBatch(ctx context.Context, ps []Packet) (n int, err error) {
	begin := func() { c.tx.beginBatch(ps) }
	end := func() { n = c.tx.endBatch() }
	err = c.io.Send(ctx, &c.tx.batch, begin, end)
	return n, err
}

// Close closes the socket, so that its address can be bound again.
func (c *Conn) Close() error { return c.io.Close() }

// Attributes are those in the variables of this package. All are fixed.
func (c *Conn) Attributes() *attr.Set { return &c.facts }
