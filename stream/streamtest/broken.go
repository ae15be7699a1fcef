package streamtest

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/strata-go/strata/stream"
)

// sendAnswerChecks hold line 1 of the contract where it takes both
// directions.
func sendAnswerChecks() []check {
	return []check{
		{name: "Closed comes before everything but the context", body: closedFirst},
		{name: "Data comes before a failure", body: dataBeforeBroken},
		{name: "The own end comes before a failure in Send", body: endBeforeBroken},
	}
}

// brokenChecks hold line 6 of the contract, and what line 5 says of Abort.
func brokenChecks() []check {
	return []check{
		{name: "A failure is one for both directions", body: brokenBothWays},
		{name: "A Send that fails breaks Receive", body: sendBreaksReceive},
		{name: "Abort wakes everything", body: abortWakes},
		{name: "Abort is an end for this side", body: abortCloses},
		{name: "Abort wakes the peer's Receive", body: abortWakesPeerReceive},
		{name: "Abort wakes the peer's Send", body: abortWakesPeerSend, clogged: true},
	}
}

// errAbort is the cause that checks give to stream.Abort.
var errAbort = errors.New("the cause of this abort")

// abort ends s without a goodbye.
func (p *probe) abort(ctx context.Context, s stream.Resource) {
	c := p.start("Abort", func() (int, error) { return 0, stream.Abort(s, errAbort) })
	if _, err := p.wait(ctx, c); err != nil && !errors.Is(err, net.ErrClosed) {
		p.fatalf("Abort: %v", err)
	}
}

// receiveBroken wants r to be broken now and from now on; or, where the
// transport cannot abort, to be at its end or broken.
func (p *probe) receiveBroken(ctx context.Context) *stream.BrokenError {
	n, err := p.r.Receive(ctx, make([]byte, 8))
	if p.noAbort && n == 0 && err == io.EOF {
		return nil
	}
	first := p.wantBroken("Receive from a peer that aborted", n, err)
	for range 3 {
		for _, q := range p.receiveQuestions() {
			n, err := q.ask(ctx)
			if err == nil && n == 0 && q.name == "WaitReceive" {
				continue // Receive would not block
			}
			if again := p.wantBroken(q.name+" on a broken stream", n, err); again != first {
				p.fatalf("%s returned another *BrokenError than before: %v, %v", q.name, again, first)
			}
		}
	}
	return first
}

func closedFirst(ctx context.Context, p *probe) {
	q := p.flip()
	p.sendBeside(ctx, "x", func() { p.receive(ctx, "x") })
	p.abort(ctx, p.a)
	p.receiveBroken(ctx)
	p.close(p.b)
	p.wantDone(p.receiveQuestions(), "after Close of a broken stream")
	p.wantDone(q.sendQuestions(), "after Close of a broken stream")
	p.wantAll(ctx, p.receiveQuestions(), "after Close of a broken stream", net.ErrClosed)
	p.wantAll(ctx, append(q.sendQuestions(), q.halfCloseQuestion()...), "after Close of a broken stream", net.ErrClosed)
	p.wantEmptyBuffer(ctx, "after Close of a broken stream")
}

func dataBeforeBroken(ctx context.Context, p *probe) {
	c := p.startSend(ctx, []byte("xy"))
	p.receive(ctx, "x")
	p.yield() // lets Send return, unless it waits for y to be received
	p.abort(ctx, p.a)
	n, err := p.wait(ctx, c)
	if p.perDirection {
		p.receiveAny(ctx, []byte("y"))
	} else if n == 2 && err == nil {
		p.receive(ctx, "y")
	}
	p.receiveBroken(ctx)
	p.wantDone(p.receiveQuestions(), "on a broken stream")
	p.wantEmptyBuffer(ctx, "on a broken stream")
}

// endBeforeBroken breaks the stream of an end that has sent its SendEOF.
func endBeforeBroken(ctx context.Context, p *probe) {
	if p.noHalfClose {
		p.wantNoHalfClose(ctx)
		return
	}
	q := p.flip() // b sends
	q.ends(ctx)
	p.abort(ctx, p.a)
	p.receiveBroken(ctx)
	q.wantDone(q.sendQuestions(), "after SendEOF on a broken stream")
	q.wantAll(ctx, q.sendQuestions(), "after SendEOF on a broken stream", net.ErrClosed)
}

// brokenBothWays wants a failure that Receive meets to be that of Send; or one
// of each, where they fail by themselves.
func brokenBothWays(ctx context.Context, p *probe) {
	q := p.flip()
	p.sendBeside(ctx, "x", func() { p.receive(ctx, "x") })
	p.abort(ctx, p.a)
	first := p.receiveBroken(ctx)
	if first == nil {
		return // noAbort
	}
	if p.perDirection {
		first = q.sendUntilBroken(ctx)
	}
	p.wantDone(q.sendQuestions(), "on a broken stream")
	for _, ask := range q.sendQuestions() {
		n, err := ask.ask(ctx)
		if again := p.wantBroken(ask.name+" on a broken stream", n, err); again != first {
			p.fatalf("%s returned another failure than before: %v, %v", ask.name, again, first)
		}
	}
	for _, ask := range q.halfCloseQuestion() {
		n, err := ask.ask(ctx)
		p.wantBroken(ask.name+" on a broken stream", n, err)
	}
}

// sendBreaksReceive wants a failure that Send meets to be that of Receive,
// after what is still readable, though the peer closed in order; or, where the
// directions fail by themselves, the end which that was.
func sendBreaksReceive(ctx context.Context, p *probe) {
	p.sendBeside(ctx, "x", func() { p.receive(ctx, "x") })
	p.close(p.b)
	first := p.sendUntilBroken(ctx)
	q := p.flip()
	if p.perDirection {
		q.receiveEOF(ctx)
		return
	}
	for range 2 {
		n, err := q.r.Receive(ctx, make([]byte, 8))
		if again := p.wantBroken("Receive after a Send that failed", n, err); again != first {
			p.fatalf("Send and Receive returned different failures: %v, %v", first, again)
		}
	}
}

func abortWakes(ctx context.Context, p *probe) {
	q := p.flip()
	send := p.blockedSend(ctx, p.bulk())
	receive := q.blockedReceive(ctx)
	p.abort(ctx, p.a)
	for _, c := range []*call{send, receive} {
		_, err := p.wait(ctx, c)
		p.want(c.name+" that Abort woke", 0, err, net.ErrClosed)
	}
}

func abortCloses(ctx context.Context, p *probe) {
	q := p.flip()
	p.abort(ctx, p.a)
	p.wantAll(ctx, p.sendQuestions(), "after Abort", net.ErrClosed)
	p.wantAll(ctx, q.receiveQuestions(), "after Abort", net.ErrClosed)
	p.abort(ctx, p.a)
	p.close(p.a)
	p.close(p.b)
	p.abort(ctx, p.b)
}

func abortWakesPeerReceive(ctx context.Context, p *probe) {
	c := p.blockedReceive(ctx)
	p.abort(ctx, p.a)
	n, err := p.wait(ctx, c)
	if p.noAbort && n == 0 && err == io.EOF {
		return
	}
	first := p.wantBroken("Receive when the peer aborts", n, err)
	if again := p.receiveBroken(ctx); again != first {
		p.fatalf("Receive returned another *BrokenError than before: %v, %v", again, first)
	}
}

func abortWakesPeerSend(ctx context.Context, p *probe) {
	c := p.blockedSend(ctx, p.bulk())
	p.abort(ctx, p.b)
	_, err := p.wait(ctx, c)
	first := p.wantBroken("Send when the peer aborts", 0, err)
	if again := p.sendUntilBroken(ctx); again != first {
		p.fatalf("Send returned another *BrokenError than before: %v, %v", again, first)
	}
}
