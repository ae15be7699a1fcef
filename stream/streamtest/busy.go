package streamtest

import (
	"context"
	"errors"

	"github.com/strata-go/strata/stream"
)

// busyChecks hold line 1 (d) of the contract: one call at a time in each
// direction, the others turned away, the first unharmed.
func busyChecks() []check {
	return []check{
		{name: "A second Receive is turned away", body: busyReceive},
		{name: "Receive is turned away while WaitReceive waits", body: busyWaitReceive},
		{name: "A second Send is turned away", body: busySend, clogged: true},
		{name: "A direction is free again after a cancel", body: freeAfterCancel},
	}
}

func busyReceive(ctx context.Context, p *probe) {
	c := p.blockedReceive(ctx)
	p.wantAll(ctx, p.receiveQuestions(), "while another Receive waits", stream.ErrBusy)
	p.stillInside(c)
	p.send(ctx, "z")
	if n, err := p.wait(ctx, c); n != 1 || err != nil {
		p.fatalf("the Receive that was there first returned %d, %v; want 1, nil", n, err)
	}
	p.sendBeside(ctx, "free", func() { p.receive(ctx, "free") })
}

func busyWaitReceive(ctx context.Context, p *probe) {
	if p.noWaitReceive {
		p.wantNoWaitReceive(ctx)
		return
	}
	c := p.blockedWaitReceive(ctx)
	p.wantAll(ctx, p.receiveQuestions(), "while WaitReceive waits", stream.ErrBusy)
	p.stillInside(c)
	s := p.startSend(ctx, []byte("z"))
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("the WaitReceive that was there first returned %v", err)
	}
	p.receive(ctx, "z")
	p.sent(ctx, s, 1)
}

func busySend(ctx context.Context, p *probe) {
	data := p.bulk()
	c := p.blockedSend(ctx, data)
	p.wantAll(ctx, append(p.sendQuestions(), p.halfCloseQuestion()...), "while another Send waits", stream.ErrBusy)
	if n, err := stream.TrySend(p.s, []byte("x")); !errors.Is(err, errors.ErrUnsupported) {
		p.want("TrySend while a Send waits", n, err, stream.ErrBusy)
	}
	p.stillInside(c)
	end := p.start("the end", func() (int, error) {
		<-c.done
		return p.sendAll(ctx, nil, 1)
	})
	p.receiveSuffix(ctx, data)
	p.sent(ctx, c, len(data))
	if _, err := p.wait(ctx, end); err != nil {
		p.fatalf("the end after a Send that waited: %v", err)
	}
}

func freeAfterCancel(ctx context.Context, p *probe) {
	for range 3 {
		cctx, cancel := context.WithCancel(ctx)
		c := p.blockedReceive(cctx)
		cancel()
		p.wait(ctx, c)
		p.sendBeside(ctx, "abc", func() { p.receive(ctx, "abc") })
	}
	if !p.cancelBreaksSend {
		p.cancelSend(ctx, p.bulk())
		p.cancelSend(ctx, p.bulk())
	}
}
