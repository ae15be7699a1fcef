package streamtest

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/strata-go/strata/stream"
)

// halfCloseChecks hold line 4 of the contract.
func halfCloseChecks() []check {
	return []check{
		{name: "SendEOF ends one direction only", body: halfClose},
		{name: "SendEOF keeps what was sent before", body: halfCloseKeeps, clogged: true},
		{name: "SendEOF may be repeated", body: halfCloseRepeated},
		{name: "SendEOF does not disturb a Receive", body: halfCloseBesideReceive},
		{name: "Send after SendEOF is net.ErrClosed", body: sendAfterHalfClose},
		{name: "SendEOF during a Send is turned away", body: halfCloseBusy, clogged: true},
		{name: "A canceled SendEOF can be finished", body: canceledHalfClose, clogged: true},
		{name: "SendEOF after Close is net.ErrClosed", body: halfCloseAfterClose},
		{name: "Close wakes SendEOF", body: closeWakesHalfClose, clogged: true},
		{name: "Both directions end in turn", body: halfCloseBoth},
	}
}

// wantNoHalfClose wants SendEOF to be what a stream without it has.
func (p *probe) wantNoHalfClose(ctx context.Context) {
	for range 2 {
		if err := p.a.SendEOF(ctx); !errors.Is(err, errors.ErrUnsupported) {
			p.fatalf("SendEOF returned %v, want errors.ErrUnsupported", err)
		}
	}
	q := p.flip()
	p.sendBeside(ctx, "still open", func() { p.receive(ctx, "still open") })
	q.sendBeside(ctx, "both ways", func() { q.receive(ctx, "both ways") })
}

func (p *probe) sendEOF(ctx context.Context) {
	if err := p.a.SendEOF(ctx); err != nil {
		p.fatalf("SendEOF: %v", err)
	}
}

func halfClose(ctx context.Context, p *probe) {
	if p.noHalfClose {
		p.wantNoHalfClose(ctx)
		return
	}
	q := p.flip()
	p.sendBeside(ctx, "x", func() { p.receive(ctx, "x") })
	p.ends(ctx)
	q.sendBeside(ctx, "answer", func() { q.receive(ctx, "answer") })
	q.sendBeside(ctx, "and more", func() { q.receive(ctx, "and more") })
	p.receiveEOF(ctx)
}

// halfCloseKeeps ends while nothing of what was sent has been received.
func halfCloseKeeps(ctx context.Context, p *probe) {
	data := p.bulk()
	c := p.start("Send and SendEOF", func() (int, error) { return p.resume(ctx, data) })
	p.yield()
	p.receiveSuffix(ctx, data)
	p.sent(ctx, c, len(data))
	p.receiveEOF(ctx)
}

func halfCloseRepeated(ctx context.Context, p *probe) {
	if p.noHalfClose {
		p.wantNoHalfClose(ctx)
		return
	}
	p.ends(ctx)
	for range 2 {
		p.sendEOF(ctx)
	}
	p.receiveEOF(ctx)
	q := p.flip()
	q.sendBeside(ctx, "still", func() { q.receive(ctx, "still") })
	q.ends(ctx)
	p.sendEOF(ctx)
	q.sendEOF(ctx)
}

func halfCloseBesideReceive(ctx context.Context, p *probe) {
	if p.noHalfClose {
		p.wantNoHalfClose(ctx)
		return
	}
	q := p.flip()
	c := q.blockedReceive(ctx)
	p.ends(ctx)
	p.stillInside(c)
	q.send(ctx, "z")
	if n, err := p.wait(ctx, c); n != 1 || err != nil {
		p.fatalf("Receive that waited during SendEOF returned %d, %v; want 1, nil", n, err)
	}
}

func sendAfterHalfClose(ctx context.Context, p *probe) {
	if p.noHalfClose {
		p.wantNoHalfClose(ctx)
		return
	}
	p.sendBeside(ctx, "x", func() { p.receive(ctx, "x") })
	p.ends(ctx)
	for range 2 {
		p.wantAll(ctx, p.sendQuestions(), "after SendEOF", net.ErrClosed)
		if n, err := stream.TrySend(p.s, []byte("x")); !errors.Is(err, errors.ErrUnsupported) {
			p.want("TrySend after SendEOF", n, err, net.ErrClosed)
		}
	}
	p.receiveEOF(ctx)
}

func halfCloseBusy(ctx context.Context, p *probe) {
	if p.noHalfClose {
		p.wantNoHalfCloseClogged(ctx)
		return
	}
	data := p.bulk()
	c := p.blockedSend(ctx, data)
	for range 2 {
		p.want("SendEOF while a Send waits", 0, p.a.SendEOF(ctx), stream.ErrBusy)
	}
	p.stillInside(c)
	end := p.start("SendEOF", func() (int, error) {
		<-c.done
		return 0, p.a.SendEOF(ctx)
	})
	p.receiveSuffix(ctx, data)
	p.sent(ctx, c, len(data))
	if _, err := p.wait(ctx, end); err != nil {
		p.fatalf("SendEOF after the Send: %v", err)
	}
}

func (p *probe) wantNoHalfCloseClogged(ctx context.Context) {
	c := p.blockedSend(ctx, p.bulk())
	if err := p.a.SendEOF(ctx); !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, stream.ErrBusy) {
		p.fatalf("SendEOF while a Send waits returned %v, want errors.ErrUnsupported or ErrBusy", err)
	}
	p.stillInside(c)
}

// canceledHalfClose cancels SendEOF where something that was sent before may
// keep it waiting.
func canceledHalfClose(ctx context.Context, p *probe) {
	if p.noHalfClose || p.cancelBreaksSend {
		return // the checks of SendEOF and of canceled Sends say what holds then
	}
	data := p.bulk()
	sent := p.cancelSend(ctx, data)
	p.want("SendEOF with a done context", 0, p.a.SendEOF(doneContext()), errCustom)
	cctx, cancel := context.WithCancelCause(ctx)
	c := p.start("SendEOF", func() (int, error) { return 0, p.a.SendEOF(cctx) })
	p.yield()
	cancel(errCustom)
	if _, err := p.wait(ctx, c); err != nil {
		p.wantCanceled("the canceled SendEOF", err)
	}
	c = p.start("SendEOF", func() (int, error) { return 0, p.a.SendEOF(ctx) })
	p.receiveSuffix(ctx, data[:sent])
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("SendEOF after a canceled one: %v", err)
	}
	p.receiveEOF(ctx)
	p.sendEOF(ctx)
}

func halfCloseAfterClose(ctx context.Context, p *probe) {
	ended := !p.noHalfClose
	if ended {
		p.flip().ends(ctx) // b ended before it closes, a did not
	}
	p.close(p.a)
	p.close(p.b)
	for _, s := range []stream.ByteStream{p.a, p.b} {
		err := s.SendEOF(ctx)
		if !ended && errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		p.want("SendEOF after Close", 0, err, net.ErrClosed)
	}
}

func closeWakesHalfClose(ctx context.Context, p *probe) {
	if p.noHalfClose || p.cancelBreaksSend {
		return // as in canceledHalfClose
	}
	p.cancelSend(ctx, p.bulk())
	c := p.start("SendEOF", func() (int, error) { return 0, p.a.SendEOF(ctx) })
	p.yield()
	p.close(p.a)
	if _, err := p.wait(ctx, c); err != nil {
		p.want("SendEOF that Close woke", 0, err, net.ErrClosed)
	}
}

// halfCloseBoth ends first one direction, then carries 4 MiB the other way,
// and ends that too.
func halfCloseBoth(ctx context.Context, p *probe) {
	if p.noHalfClose {
		p.wantNoHalfClose(ctx)
		return
	}
	q := p.flip()
	p.ends(ctx)
	data := p.large(4 << 20)
	c := p.start("Sends and SendEOF", func() (int, error) { return q.sendAll(ctx, data, 256<<10) })
	q.receiveSuffix(ctx, data)
	p.sent(ctx, c, len(data))
	q.receiveEOF(ctx)
	n, err := p.r.Receive(ctx, make([]byte, 1))
	p.want("Receive where both directions ended", n, err, io.EOF)
}
