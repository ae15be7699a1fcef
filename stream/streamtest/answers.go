package streamtest

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/strata-go/strata/stream"
)

// answerChecks hold lines 0 and 1 of the contract: which answer is given
// when several apply, for the receiving direction, and for Send as far as one
// direction goes.
func answerChecks() []check {
	return []check{
		{name: "An empty buffer is ErrEmptyBuffer in any state", body: emptyBufferAnyState, stored: true},
		{name: "An empty buffer is ErrEmptyBuffer while another waits", body: emptyBufferBusy},
		{name: "A done context comes first in Receive", body: doneReceive, stored: true},
		{name: "A done context comes first in Send", body: doneSend, stored: true},
		{name: "A done context comes before busy", body: doneBeforeBusy},
		{name: "A done context comes before busy in Send", body: doneBeforeBusySend, clogged: true},
		{name: "Closed comes before data and before the end", body: closedBeforeData},
		{name: "Everything is net.ErrClosed after Close", body: everythingClosed, stored: true},
	}
}

// wantEmptyBuffer asks with an empty buffer.
func (p *probe) wantEmptyBuffer(ctx context.Context, when string) {
	for _, empty := range [][]byte{nil, {}} {
		n, err := p.r.Receive(ctx, empty)
		p.want("Receive into nothing "+when, n, err, stream.ErrEmptyBuffer)
	}
}

func emptyBufferAnyState(ctx context.Context, p *probe) {
	done := doneContext()
	p.wantEmptyBuffer(done, "with a done context")
	p.sendBeside(ctx, "xy", func() {
		p.receive(ctx, "x")
		p.wantEmptyBuffer(ctx, "with data there")
		p.receive(ctx, "y")
	})
	p.ends(ctx)
	p.wantEmptyBuffer(ctx, "at the end")
	p.close(p.r)
	p.wantEmptyBuffer(ctx, "after Close")
	p.wantEmptyBuffer(done, "after Close with a done context")
}

func emptyBufferBusy(ctx context.Context, p *probe) {
	c := p.blockedReceive(ctx)
	p.wantEmptyBuffer(ctx, "while another Receive waits")
	p.stillInside(c)
}

func (p *probe) receiveQuestions() []question {
	qs := []question{{"Receive", func(ctx context.Context) (int, error) { return p.r.Receive(ctx, make([]byte, 8)) }}}
	if !p.noWaitReceive {
		qs = append(qs, question{"WaitReceive", func(ctx context.Context) (int, error) { return 0, stream.WaitReceive(ctx, p.r) }})
	}
	return qs
}

func (p *probe) sendQuestions() []question {
	qs := []question{
		{"Send", func(ctx context.Context) (int, error) { return p.s.Send(ctx, []byte("lost")) }},
		{"Send of nothing", func(ctx context.Context) (int, error) { return p.s.Send(ctx, nil) }},
		{"SendBuffers", func(ctx context.Context) (int, error) {
			n, err := stream.SendBuffers(ctx, p.s, [][]byte{[]byte("lo"), nil, []byte("st")})
			return int(n), err
		}},
	}
	return qs
}

// halfCloseQuestion is SendEOF, where there is one.
func (p *probe) halfCloseQuestion() []question {
	if p.a == nil || p.noHalfClose {
		return nil
	}
	return []question{{"SendEOF", func(ctx context.Context) (int, error) { return 0, p.a.SendEOF(ctx) }}}
}

func doneReceive(ctx context.Context, p *probe) {
	qs := p.receiveQuestions()
	p.wantDone(qs, "with nothing to receive")
	p.sendBeside(ctx, "xy", func() {
		p.receive(ctx, "x")
		p.wantDone(qs, "with data there")
		p.receive(ctx, "y")
	})
	c := p.startEnd(ctx)
	p.yield()
	p.wantDone(qs, "before the end")
	p.receiveEOF(ctx)
	p.ended(ctx, c)
	p.wantDone(qs, "at the end")
	p.receiveEOF(ctx)
	p.close(p.r)
	p.wantDone(qs, "after Close")
}

func doneSend(ctx context.Context, p *probe) {
	qs := append(p.sendQuestions(), p.halfCloseQuestion()...)
	p.wantDone(qs, "with room")
	p.sendBeside(ctx, "kept", func() { p.receive(ctx, "kept") })
	p.wantDone(qs, "after a Send")
	p.ends(ctx)
	p.wantDone(qs, "after the end")
	p.close(p.s)
	p.wantDone(qs, "after Close")
}

func doneBeforeBusy(ctx context.Context, p *probe) {
	c := p.blockedReceive(ctx)
	p.wantDone(p.receiveQuestions(), "while a Receive waits")
	p.stillInside(c)
}

func doneBeforeBusySend(ctx context.Context, p *probe) {
	c := p.blockedSend(ctx, p.bulk())
	p.wantDone(append(p.sendQuestions(), p.halfCloseQuestion()...), "while a Send waits")
	p.stillInside(c)
}

func closedBeforeData(ctx context.Context, p *probe) {
	c := p.startSend(ctx, []byte("xy"))
	p.receive(ctx, "x")
	p.close(p.r)
	p.wantAll(ctx, p.receiveQuestions(), "after Close with data there", net.ErrClosed)
	p.wait(ctx, c)
}

func everythingClosed(ctx context.Context, p *probe) {
	p.sendBeside(ctx, "x", func() { p.receive(ctx, "x") })
	p.ends(ctx)
	p.close(p.s)
	p.close(p.r)
	for range 2 {
		p.wantAll(ctx, p.receiveQuestions(), "after Close", net.ErrClosed)
		p.wantAll(ctx, append(p.sendQuestions(), p.halfCloseQuestion()...), "after Close", net.ErrClosed)
		if n, err := stream.TrySend(p.s, []byte("x")); !errors.Is(err, errors.ErrUnsupported) {
			p.want("TrySend after Close", n, err, net.ErrClosed)
		}
	}
	if _, err := p.r.Receive(ctx, make([]byte, 8)); errors.Is(err, io.EOF) {
		p.fatalf("Receive after Close returned %v", err)
	}
}
