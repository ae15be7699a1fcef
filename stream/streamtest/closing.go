package streamtest

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/strata-go/strata/stream"
)

// closeChecks hold line 5 of the contract, and line 6 as far as one
// direction goes.
func closeChecks() []check {
	return []check{
		{name: "Close wakes Receive", body: closeWakesReceive},
		{name: "Close wakes WaitReceive", body: closeWakesWaitReceive},
		{name: "Close wakes Send", body: closeWakesSend, clogged: true},
		{name: "Close may be repeated", body: closeRepeated, stored: true},
		{name: "Close may be called by many", body: closeConcurrent, clogged: true},
		{name: "Close does not wait for the peer", body: closeFull, clogged: true},
		{name: "What was sent before Close arrives", body: sentBeforeClose},
		{name: "A Send that Close ended invents nothing", body: closeDuringSend, clogged: true},
		{name: "A peer that closed breaks Send for good", body: peerCloseBreaksSend},
		{name: "A peer that closes wakes Send", body: peerCloseWakesSend, clogged: true},
	}
}

func closeWakesReceive(ctx context.Context, p *probe) {
	c := p.blockedReceive(ctx)
	p.close(p.r)
	n, err := p.wait(ctx, c)
	p.want("Receive that Close woke", n, err, net.ErrClosed)
}

func closeWakesWaitReceive(ctx context.Context, p *probe) {
	if p.noWaitReceive {
		p.wantNoWaitReceive(ctx)
		return
	}
	c := p.blockedWaitReceive(ctx)
	p.close(p.r)
	_, err := p.wait(ctx, c)
	p.want("WaitReceive that Close woke", 0, err, net.ErrClosed)
}

func closeWakesSend(ctx context.Context, p *probe) {
	c := p.blockedSend(ctx, p.bulk())
	p.close(p.s)
	_, err := p.wait(ctx, c)
	p.want("Send that Close woke", 0, err, net.ErrClosed)
}

func closeRepeated(_ context.Context, p *probe) {
	for range 3 {
		p.close(p.s)
		p.close(p.r)
	}
}

func closeConcurrent(ctx context.Context, p *probe) {
	sending := p.blockedSend(ctx, p.bulk())
	var closes []*call
	for range 8 {
		closes = append(closes,
			p.start("Close", func() (int, error) { return 0, p.s.Close() }),
			p.start("Close", func() (int, error) { return 0, p.r.Close() }))
	}
	for _, c := range closes {
		if _, err := p.wait(ctx, c); err != nil {
			p.fatalf("one of many calls of Close returned %v", err)
		}
	}
	_, err := p.wait(ctx, sending)
	if !errors.Is(err, stream.ErrBroken) { // the other end was faster
		p.want("Send that Close woke", 0, err, net.ErrClosed)
	}
}

// closeFull closes an end whose buffers are full, in one go and after a
// canceled Send.
func closeFull(ctx context.Context, p *probe) {
	if !p.cancelBreaksSend {
		p.cancelSend(ctx, p.bulk())
	} else {
		p.blockedSend(ctx, p.bulk())
	}
	p.close(p.s)
	n, err := p.s.Send(ctx, []byte("x"))
	p.want("Send after Close", n, err, net.ErrClosed)
}

func sentBeforeClose(ctx context.Context, p *probe) {
	c := p.start("Send and Close", func() (int, error) {
		n, err := p.s.Send(ctx, []byte("last words"))
		return n, errors.Join(err, p.s.Close())
	})
	p.receive(ctx, "last words")
	p.receiveEOF(ctx)
	p.sent(ctx, c, len("last words"))
}

// closeDuringSend wants what arrives of a Send that was ended by Close to be
// the beginning of what was sent, and then an end or a failure.
func closeDuringSend(ctx context.Context, p *probe) {
	data := p.bulk()
	c := p.blockedSend(ctx, data)
	p.close(p.s)
	n, err := p.wait(ctx, c)
	p.want("Send that Close woke", 0, err, net.ErrClosed)
	if p.clogged {
		data = data[:n]
	}
	got, err := p.receiveAny(ctx, data)
	if err != io.EOF && !errors.Is(err, stream.ErrBroken) {
		p.fatalf("Receive after the peer's Close returned %v; want io.EOF or ErrBroken", err)
	}
	if !p.clogged && !p.encodes && n < got {
		p.fatalf("received %d bytes of which Send said that it took %d", got, n)
	}
}

func peerCloseBreaksSend(ctx context.Context, p *probe) {
	if p.noBroken {
		p.sendAfterPeerClose(ctx)
		return
	}
	p.close(p.r)
	first := p.sendUntilBroken(ctx)
	for range 3 {
		for _, q := range p.sendQuestions() {
			n, err := q.ask(ctx)
			if again := p.wantBroken(q.name+" on a broken stream", n, err); again != first {
				p.fatalf("%s returned another *BrokenError than before: %v, %v", q.name, again, first)
			}
		}
	}
	p.close(p.s)
	p.wantAll(ctx, p.sendQuestions(), "after Close of a broken stream", net.ErrClosed)
}

// sendAfterPeerClose is for transports that do not notice.
func (p *probe) sendAfterPeerClose(ctx context.Context) {
	p.close(p.r)
	p.send(ctx, "unheard")
	p.close(p.s)
}

// sendUntilBroken sends until the connection turns out to be broken: the
// first bytes may leave before the news of it arrives.
func (p *probe) sendUntilBroken(ctx context.Context) *stream.BrokenError {
	for {
		_, err := p.s.Send(ctx, pattern()[:1024])
		if err != nil {
			return p.wantBroken("Send to a peer that is gone", 0, err)
		}
		p.yield()
	}
}

func peerCloseWakesSend(ctx context.Context, p *probe) {
	if p.noBroken {
		p.sendAfterPeerClose(ctx)
		return
	}
	c := p.blockedSend(ctx, p.bulk())
	p.close(p.r)
	_, err := p.wait(ctx, c)
	p.wantBroken("Send that waits when the peer closes", 0, err)
}
