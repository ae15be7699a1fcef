package streamtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/strata-go/strata/stream"
)

// A PacketMaker makes the streams that [TestPacketStream] tests.
type PacketMaker[T any] struct {
	// Pipe returns the two ends of a new connection, on which a packet that
	// is sent while no other is under way arrives. It is called many times;
	// the suite closes both ends.
	Pipe func(ctx context.Context) (a, b stream.PacketStream[T], err error)

	// Packet returns the packet with the number i, from 0 on. Packet 0 should
	// be the empty packet, where that is a packet like any other.
	Packet func(i int) T

	// Number is the inverse of Packet: which packet it is that arrived, or -1
	// if it is none of those that Packet makes.
	Number func(packet T) int

	// Bubble runs each check in a bubble of testing/synctest.
	Bubble bool

	// Operations is how many packets a storm sends. Zero means 2,000.
	Operations int
}

// TestPacketStream tests that streams of packets hold what stream's contract
// says of them, in both directions.
func TestPacketStream[T any](t *testing.T, m *PacketMaker[T]) {
	t.Helper()
	mustHave("PacketMaker.Pipe", m.Pipe != nil)
	mustHave("PacketMaker.Packet", m.Packet != nil)
	mustHave("PacketMaker.Number", m.Number != nil)
	runAll(t, PacketStreamChecks[T](), m, m.Bubble)
}

// PacketStreamChecks returns the checks of [TestPacketStream].
func PacketStreamChecks[T any]() []CheckOf[*PacketMaker[T]] {
	var checks []CheckOf[*PacketMaker[T]]
	for _, c := range []packetCheck[T]{
		{"Packets arrive whole", packetsArrive[T]},
		{"A done context comes first", donePackets[T]},
		{"A canceled Receive took nothing", canceledPacketReceive[T]},
		{"A deadline ends Receive", deadlinePacketReceive[T]},
		{"Several may send", severalSendPackets[T]},
		{"Close wakes Receive", closeWakesPacketReceive[T]},
		{"Close may be repeated and called by many", closePackets[T]},
		{"Everything is net.ErrClosed after Close", packetsClosed[T]},
		{"A peer that is gone breaks nothing", packetPeerGone[T]},
		{"Attributes answer, also after Close", packetAttributes[T]},
		{"A storm of cancels loses no packet that arrived", packetStorm[T]},
	} {
		checks = append(checks, CheckOf[*PacketMaker[T]]{Name: c.name, Run: func(ctx context.Context, m *PacketMaker[T]) error {
			return errors.Join(m.run(ctx, c, false), m.run(ctx, c, true))
		}})
	}
	return checks
}

type packetCheck[T any] struct {
	name string
	body func(ctx context.Context, p *packetProbe[T])
}

func (m *PacketMaker[T]) run(ctx context.Context, c packetCheck[T], flipped bool) error {
	a, b, err := m.Pipe(ctx)
	if err != nil {
		return fmt.Errorf("cannot make a connection: %w", err)
	}
	name := "from a to b"
	if flipped {
		a, b = b, a
		name = "from b to a"
	}
	p := &packetProbe[T]{harness: newHarness(m.Bubble, a, b), PacketMaker: m, a: a, b: b}
	if err := p.harness.run(ctx, func() { c.body(ctx, p) }); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// A packetProbe is one check at work on one connection: a sends what b
// receives.
type packetProbe[T any] struct {
	*harness
	*PacketMaker[T]
	a, b stream.PacketStream[T]
}

func (p *packetProbe[T]) send(ctx context.Context, i int) {
	if err := p.a.Send(ctx, p.Packet(i)); err != nil {
		p.fatalf("Send of packet %d: %v", i, err)
	}
}

func (p *packetProbe[T]) receive(ctx context.Context, i int) {
	packet, err := p.b.Receive(ctx)
	if err != nil {
		p.fatalf("Receive returned %v, want packet %d", err, i)
	}
	if got := p.Number(packet); got != i {
		p.fatalf("received packet %d (%v), want packet %d", got, packet, i)
	}
}

// carry sends one packet and receives it.
func (p *packetProbe[T]) carry(ctx context.Context, i int) {
	c := p.start("Send", func() (int, error) { return 0, p.a.Send(ctx, p.Packet(i)) })
	p.receive(ctx, i)
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("Send of packet %d: %v", i, err)
	}
}

func (p *packetProbe[T]) receiveQuestion() []question {
	return []question{{"Receive", func(ctx context.Context) (int, error) {
		_, err := p.b.Receive(ctx)
		return boolInt(err == nil), err
	}}}
}

func (p *packetProbe[T]) sendQuestion() []question {
	return []question{{"Send", func(ctx context.Context) (int, error) { return 0, p.a.Send(ctx, p.Packet(1)) }}}
}

// waitingReceive returns a Receive that waits, and whose number of packets
// is one more than that of the packet it got.
func (p *packetProbe[T]) waitingReceive(ctx context.Context) *call {
	c := p.start("Receive", func() (int, error) {
		packet, err := p.b.Receive(ctx)
		if err != nil {
			return 0, err
		}
		return p.Number(packet) + 1, nil
	})
	p.yield()
	return c
}

func packetsArrive[T any](ctx context.Context, p *packetProbe[T]) {
	for i := range 100 {
		p.carry(ctx, i)
	}
	p.carry(ctx, 0)
	p.carry(ctx, 0)
}

func donePackets[T any](ctx context.Context, p *packetProbe[T]) {
	p.wantDone(p.receiveQuestion(), "with nothing to receive")
	p.wantDone(p.sendQuestion(), "with nothing sent")
	p.carry(ctx, 2)
	c := p.start("Send", func() (int, error) { return 0, p.a.Send(ctx, p.Packet(3)) })
	p.yield()
	p.wantDone(p.receiveQuestion(), "with a packet there")
	p.receive(ctx, 3)
	p.wait(ctx, c)
	p.close(p.a)
	p.close(p.b)
	p.wantDone(p.receiveQuestion(), "after Close")
	p.wantDone(p.sendQuestion(), "after Close")
}

func canceledPacketReceive[T any](ctx context.Context, p *packetProbe[T]) {
	for i := range 3 {
		cctx, cancel := context.WithCancelCause(ctx)
		c := p.waitingReceive(cctx)
		cancel(errCustom)
		n, err := p.wait(ctx, c)
		p.want("the canceled Receive", n, err, errCustom)
		p.wantCanceled("the canceled Receive", err)
		p.carry(ctx, i)
	}
}

func deadlinePacketReceive[T any](ctx context.Context, p *packetProbe[T]) {
	dctx, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	_, err := p.b.Receive(dctx)
	p.want("Receive with a deadline", 0, err, context.DeadlineExceeded)
	p.wantTimeout("Receive with a deadline", err, true)
	p.carry(ctx, 0)
}

func severalSendPackets[T any](ctx context.Context, p *packetProbe[T]) {
	const senders = 8
	var calls []*call
	for i := range senders {
		calls = append(calls, p.start("Send", func() (int, error) { return 0, p.a.Send(ctx, p.Packet(i)) }))
	}
	for range senders {
		packet, err := p.b.Receive(ctx)
		if err != nil || p.Number(packet) < 0 || p.Number(packet) >= senders {
			p.fatalf("Receive returned %v, %v; want one of the first %d packets", packet, err, senders)
		}
	}
	for _, c := range calls {
		if _, err := p.wait(ctx, c); err != nil {
			p.fatalf("one of several calls of Send returned %v", err)
		}
	}
}

func closeWakesPacketReceive[T any](ctx context.Context, p *packetProbe[T]) {
	c := p.waitingReceive(ctx)
	p.close(p.b)
	n, err := p.wait(ctx, c)
	p.want("Receive that Close woke", n, err, net.ErrClosed)
}

func closePackets[T any](ctx context.Context, p *packetProbe[T]) {
	var closes []*call
	for range 4 {
		closes = append(closes,
			p.start("Close", func() (int, error) { return 0, p.a.Close() }),
			p.start("Close", func() (int, error) { return 0, p.b.Close() }))
	}
	for _, c := range closes {
		if _, err := p.wait(ctx, c); err != nil {
			p.fatalf("one of many calls of Close returned %v", err)
		}
	}
	p.close(p.a)
}

func packetsClosed[T any](ctx context.Context, p *packetProbe[T]) {
	c := p.start("Send", func() (int, error) { return 0, p.a.Send(ctx, p.Packet(1)) })
	p.yield()
	p.close(p.b)
	p.wantAll(ctx, p.receiveQuestion(), "after Close with a packet there", net.ErrClosed)
	p.wait(ctx, c)
	p.close(p.a)
	for range 2 {
		p.wantAll(ctx, p.receiveQuestion(), "after Close", net.ErrClosed)
		p.wantAll(ctx, p.sendQuestion(), "after Close", net.ErrClosed)
	}
}

// packetPeerGone wants an error that a peer's absence causes to come at most
// once in a while, and never to be the end or a broken stream.
func packetPeerGone[T any](ctx context.Context, p *packetProbe[T]) {
	p.close(p.b)
	for range 10 {
		err := p.a.Send(ctx, p.Packet(1))
		if err == io.EOF || errors.Is(err, stream.ErrBroken) || errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			p.fatalf("Send to a peer that is gone returned %v", err)
		}
		p.yield()
	}
	dctx, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	for range 3 {
		_, err := p.a.Receive(dctx)
		if err == nil || err == io.EOF || errors.Is(err, stream.ErrBroken) || errors.Is(err, net.ErrClosed) {
			p.fatalf("Receive from a peer that is gone returned %v", err)
		}
	}
	p.close(p.a)
	p.wantAll(ctx, p.sendQuestion(), "after Close", net.ErrClosed)
}

func packetAttributes[T any](ctx context.Context, p *packetProbe[T]) {
	c := p.start("a lookup of attributes", func() (int, error) {
		return 0, compareFacts(p.a, func() { p.a.Close() })
	})
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("%w", err)
	}
	if !setStays(p.a) {
		p.fatalf("Attributes returned different sets")
	}
}

// packetStorm sends packets one by one, and receives each with calls that
// are canceled at random instants.
func packetStorm[T any](ctx context.Context, p *packetProbe[T]) {
	received := make(chan int)
	c := p.start("a storm of Receives", func() (int, error) {
		defer close(received)
		for n := 0; n < cmp.Or(p.Operations, defaultOperations); {
			cctx, stop := someContext(ctx)
			packet, err := p.b.Receive(cctx)
			stop()
			if err != nil && !errors.Is(err, errCustom) {
				return n, fmt.Errorf("Receive: %w", err)
			}
			if err == nil {
				n++
				received <- p.Number(packet)
			}
		}
		return 0, nil
	})
	for i := range cmp.Or(p.Operations, defaultOperations) {
		p.stormOnePacket(ctx, i)
		select {
		case got := <-received:
			if got != i {
				p.fatalf("received packet %d, want packet %d", got, i)
			}
		case <-ctx.Done():
			p.fatalf("packet %d was sent and not received", i)
		}
	}
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("%w", err)
	}
}

// stormOnePacket sends packet i, with a context that is done now and then.
func (p *packetProbe[T]) stormOnePacket(ctx context.Context, i int) {
	if i%4 == 0 {
		p.wantDone(p.sendQuestion(), "in a storm")
	}
	p.send(ctx, i)
}
