package streamtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"runtime"

	"github.com/strata-go/strata/stream"
)

func duplexStormChecks() []check {
	return []check{
		{name: "A storm both ways loses nothing", body: duplexStorm},
		{name: "A storm survives Close", body: stormClosed},
		{name: "A storm survives Shutdown", body: stormShutdown},
		{name: "A storm survives Abort", body: stormAborted},
	}
}

// storms starts a storm in both directions: sends and receives of p's
// direction, and then those of the other, and waits until bytes arrive. What a receives may have gaps where
// something else receives on a too, as Shutdown does.
func (p *probe) storms(ctx context.Context, gaps bool) (sends, receives [2]*call) {
	var both []*storm
	for i, d := range []*probe{p, p.flip()} {
		st := newStorm(d)
		st.gaps = gaps && d != p
		both = append(both, st)
		sends[i] = p.start("a storm of Sends", func() (int, error) {
			n, err := st.send(ctx)
			if err == nil && !p.noHalfClose {
				err = d.a.SendEOF(ctx)
			}
			return n, err
		})
		receives[i] = p.start("a storm of Receives", func() (int, error) { return st.receive(ctx) })
	}
	for i, st := range both {
		select {
		case <-st.moves:
		case <-receives[i].done: // with an error, which the caller finds
		case <-ctx.Done():
		}
	}
	return sends, receives
}

func duplexStorm(ctx context.Context, p *probe) {
	sends, receives := p.storms(ctx, false)
	p.wantCalm(ctx, sends[0], receives[0])
	p.wantCalm(ctx, sends[1], receives[1])
}

func stormClosed(ctx context.Context, p *probe) {
	p.endStorm(ctx, false, func() error { return p.a.Close() })
}

func stormShutdown(ctx context.Context, p *probe) {
	p.endStorm(ctx, true, func() error {
		stream.Shutdown(ctx, p.a) // its answer is ErrBusy, or not, as it happens
		return nil
	})
}

func stormAborted(ctx context.Context, p *probe) {
	p.endStorm(ctx, false, func() error { return stream.Abort(p.a, errAbort) })
}

// endStorm ends a storm at a random instant, and wants every call to return
// with an answer that fits.
func (p *probe) endStorm(ctx context.Context, gaps bool, end func() error) {
	sends, receives := p.storms(ctx, gaps)
	for range rand.IntN(2000) {
		runtime.Gosched()
	}
	ended := p.start("the end of a storm", func() (int, error) { return 0, end() })
	if _, err := p.wait(ctx, ended); err != nil {
		p.fatalf("the end of a storm: %v", err)
	}
	p.wantAnswer(ctx, sends[0], net.ErrClosed, stream.ErrBusy)
	p.wantAnswer(ctx, receives[1], net.ErrClosed, stream.ErrBusy)
	p.wantAnswer(ctx, receives[0], stream.ErrBroken)
	p.wantAnswer(ctx, sends[1], stream.ErrBroken)
	for i := range sends {
		if sends[i].n < receives[i].n && !p.encodes {
			p.fatalf("Send took %d bytes in all, and %d arrived", sends[i].n, receives[i].n)
		}
	}
}

// wantAnswer wants c to return nil or one of the given errors.
func (p *probe) wantAnswer(ctx context.Context, c *call, answers ...error) {
	n, err := p.wait(ctx, c)
	for _, answer := range answers {
		if errors.Is(err, answer) {
			return
		}
	}
	if err != nil {
		p.fatalf("after %d bytes of a storm that ended early: %w", n, err)
	}
}
