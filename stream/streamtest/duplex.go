package streamtest

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"

	"github.com/strata-go/strata/stream"
)

// duplexChecks hold that the directions do not depend on each other.
func duplexChecks() []check {
	return []check{
		{name: "1 MiB each way at once", body: fullDuplex},
		{name: "Ping pong", body: pingPong},
		{name: "A Receive that waits does not hinder Send", body: receiveBesideSend},
		{name: "A Send that waits does not hinder Receive", body: sendBesideReceive, clogged: true},
		{name: "A canceled Receive does not hinder Send", body: cancelOneDirection},
		{name: "Any method may be called by many", body: concurrentMethods},
		{name: "The peer's Close is the end", body: peerCloseIsEnd},
	}
}

func fullDuplex(ctx context.Context, p *probe) {
	q := p.flip()
	data := p.large(1 << 20)
	back := pattern()[len(data) : 2*len(data)]
	c := p.start("Sends", func() (int, error) { return p.sendPieces(ctx, data, 16384) })
	d := p.start("Sends", func() (int, error) { return q.sendPieces(ctx, back, 16384) })
	other := p.start("Receives", func() (int, error) {
		return 0, catch(func() { q.receivePieces(ctx, back) })
	})
	p.receivePieces(ctx, data)
	if _, err := p.wait(ctx, other); err != nil {
		p.fatalf("%w", err)
	}
	p.sent(ctx, c, len(data))
	p.sent(ctx, d, len(back))
}

// pingPong sends numbers back and forth up to 1,000.
func pingPong(ctx context.Context, p *probe) {
	q := p.flip()
	echo := p.start("ping pong", func() (int, error) {
		return 0, catch(func() {
			for i := uint64(1); i < 1000; i += 2 {
				p.receive(ctx, number(i))
				q.send(ctx, number(i+1))
			}
		})
	})
	for i := uint64(1); i < 1000; i += 2 {
		p.send(ctx, number(i))
		q.receive(ctx, number(i+1))
	}
	if _, err := p.wait(ctx, echo); err != nil {
		p.fatalf("%w", err)
	}
}

func number(i uint64) string { return string(binary.LittleEndian.AppendUint64(nil, i)) }

func receiveBesideSend(ctx context.Context, p *probe) {
	q := p.flip()
	c := q.blockedReceive(ctx) // a receives
	p.sendBeside(ctx, "over", func() { p.receive(ctx, "over") })
	p.stillInside(c)
	q.send(ctx, "z")
	if n, err := p.wait(ctx, c); n != 1 || err != nil {
		p.fatalf("the waiting Receive returned %d, %v; want 1, nil", n, err)
	}
}

func sendBesideReceive(ctx context.Context, p *probe) {
	q := p.flip()
	c := p.blockedSend(ctx, p.bulk()) // a sends
	q.sendBeside(ctx, "back", func() { q.receive(ctx, "back") })
	p.stillInside(c)
}

func cancelOneDirection(ctx context.Context, p *probe) {
	q := p.flip()
	cctx, cancel := context.WithCancelCause(ctx)
	c := q.blockedReceive(cctx)
	cancel(errCustom)
	p.wait(ctx, c)
	q.wantDone(q.receiveQuestions(), "while idle")
	p.sendBeside(ctx, "over", func() { p.receive(ctx, "over") })
	p.wantDone(p.sendQuestions(), "while idle")
	q.sendBeside(ctx, "back", func() { q.receive(ctx, "back") })
}

// concurrentMethods calls everything at once, for the race detector, and
// wants each answer to be one of those that the contract allows. Afterwards
// the stream still works.
func concurrentMethods(ctx context.Context, p *probe) {
	q := p.flip()
	received := p.startCountUntil(ctx, 0xff)
	var calls []*call
	for range 50 {
		calls = append(calls,
			p.start("Send", func() (int, error) { return p.s.Send(ctx, make([]byte, 4096)) }),
			p.start("SendBuffers", func() (int, error) {
				n, err := stream.SendBuffers(ctx, p.s, [][]byte{make([]byte, 8), make([]byte, 8)})
				return int(n), err
			}),
			p.start("Receive", func() (int, error) { return q.r.Receive(doneContext(), make([]byte, 64)) }),
			p.start("Receive into nothing", func() (int, error) { return q.r.Receive(ctx, nil) }),
			p.start("Attributes", func() (int, error) { p.a.Attributes(); return 0, nil }))
	}
	want := 0
	for _, c := range calls {
		n, err := p.wait(ctx, c)
		want += n * boolInt(c.name != "Receive")
		if err != nil && !errors.Is(err, stream.ErrBusy) && !errors.Is(err, errCustom) && !errors.Is(err, stream.ErrEmptyBuffer) {
			p.fatalf("%s among many calls returned %d, %v", c.name, n, err)
		}
	}
	p.send(ctx, "\xff")
	if n, err := p.wait(ctx, received); n != want+1 || err != nil {
		p.fatalf("received %d bytes, %v; want the %d that were sent", n, err, want+1)
	}
	q.sendBeside(ctx, "back", func() { q.receive(ctx, "back") })
}

// startCountUntil counts the bytes up to the one that is last.
func (p *probe) startCountUntil(ctx context.Context, last byte) *call {
	return p.start("Receives", func() (int, error) {
		total, buf := 0, make([]byte, 4096)
		for {
			n, err := p.r.Receive(ctx, buf)
			total += n
			if n == 0 && err == nil {
				err = errNoAnswer
			}
			if err != nil || buf[n-1] == last {
				return total, err
			}
		}
	})
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func peerCloseIsEnd(ctx context.Context, p *probe) {
	q := p.flip()
	p.sendBeside(ctx, "x", func() { p.receive(ctx, "x") })
	q.sendBeside(ctx, "y", func() { q.receive(ctx, "y") })
	c := p.blockedReceive(ctx)
	p.close(p.a)
	n, err := p.wait(ctx, c)
	p.want("Receive when the peer closed", n, err, io.EOF)
	p.receiveEOF(ctx)
	n, err = p.a.Send(ctx, []byte("x"))
	p.want("Send after Close", n, err, net.ErrClosed)
}
