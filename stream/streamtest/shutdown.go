package streamtest

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// shutdownChecks hold what line 5 of the contract says of Shutdown.
func shutdownChecks() []check {
	return []check{
		{name: "Shutdown ends in order and closes", body: shutdownInOrder},
		{name: "Shutdown with a done context closes", body: shutdownDone},
		{name: "Shutdown can be canceled", body: shutdownCanceled},
		{name: "Shutdown during a Send closes", body: shutdownBusy, clogged: true},
		{name: "Attributes answer, also after Close", body: attributesAnswer},
	}
}

func shutdownInOrder(ctx context.Context, p *probe) {
	if p.noHalfClose {
		p.shutdownWithoutHalfClose(ctx)
		return
	}
	c := p.start("Send and Shutdown", func() (int, error) {
		n, err := p.s.Send(ctx, []byte("last words"))
		return n, errors.Join(err, stream.Shutdown(ctx, p.a))
	})
	p.receive(ctx, "last words")
	p.receiveEOF(ctx)
	if err := stream.Shutdown(ctx, p.b); err != nil {
		p.fatalf("Shutdown of the peer: %v", err)
	}
	p.sent(ctx, c, len("last words"))
	p.wantShut(ctx)
}

// shutdownWithoutHalfClose accepts what a layer of its own makes of
// Shutdown, but not that the stream stays open.
func (p *probe) shutdownWithoutHalfClose(ctx context.Context) {
	p.sendBeside(ctx, "last words", func() { p.receive(ctx, "last words") })
	c := p.start("Shutdown", func() (int, error) { return 0, stream.Shutdown(ctx, p.a) })
	p.receiveEOF(ctx)
	p.close(p.b)
	if _, err := p.wait(ctx, c); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		p.fatalf("Shutdown returned %v", err)
	}
	p.wantShut(ctx)
}

// wantShut wants a to be closed.
func (p *probe) wantShut(ctx context.Context) {
	p.wantAll(ctx, p.sendQuestions(), "after Shutdown", net.ErrClosed)
	p.wantAll(ctx, p.flip().receiveQuestions(), "after Shutdown", net.ErrClosed)
}

func shutdownDone(ctx context.Context, p *probe) {
	c := p.start("Shutdown", func() (int, error) { return 0, stream.Shutdown(doneContext(), p.a) })
	if _, err := p.wait(ctx, c); !errors.Is(err, errCustom) && !(p.noHalfClose && errors.Is(err, errors.ErrUnsupported)) {
		p.fatalf("Shutdown with a done context returned %v, want its cause", err)
	}
	p.wantShut(ctx)
	n, err := p.r.Receive(ctx, make([]byte, 8))
	if n != 0 || err != io.EOF && !errors.Is(err, stream.ErrBroken) {
		p.fatalf("the peer's Receive after that returned %d, %v; want io.EOF or ErrBroken", n, err)
	}
}

func shutdownCanceled(ctx context.Context, p *probe) {
	cctx, cancel := context.WithCancelCause(ctx)
	c := p.start("Shutdown", func() (int, error) { return 0, stream.Shutdown(cctx, p.a) })
	if !p.noHalfClose {
		p.receiveEOF(ctx) // b does not end
		p.stillInside(c)
	}
	cancel(errCustom)
	if _, err := p.wait(ctx, c); !errors.Is(err, errCustom) && !p.noHalfClose {
		p.fatalf("the canceled Shutdown returned %v", err)
	}
	p.wantShut(ctx)
}

func shutdownBusy(ctx context.Context, p *probe) {
	c := p.blockedSend(ctx, p.bulk())
	sctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	d := p.start("Shutdown", func() (int, error) { return 0, stream.Shutdown(sctx, p.a) })
	p.wait(ctx, d)
	_, err := p.wait(ctx, c)
	p.want("Send during Shutdown", 0, err, net.ErrClosed)
	p.wantShut(ctx)
}

// attributesAnswer wants every fact to answer again after Close: those that
// are fixed with the same value, those that are live with net.ErrClosed, unless
// they are shared.
func attributesAnswer(ctx context.Context, p *probe) {
	c := p.start("a lookup of attributes", func() (int, error) {
		return 0, compareFacts(p.a, func() { p.a.Close() }, p.shared...)
	})
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("%w", err)
	}
	if !setStays(p.a) {
		p.fatalf("Attributes returned different sets")
	}
	_ = attr.LogValue(p.b)
}
