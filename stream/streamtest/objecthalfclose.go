package streamtest

import (
	"context"
	"errors"
	"net"
)

// objectTwoWayChecks are those that need both directions.
func objectTwoWayChecks[T any]() []objectCheck[T] {
	return []objectCheck[T]{
		{"SendEOF ends one direction only", objectHalfClose[T]},
		{"Send after SendEOF is net.ErrClosed", sendAfterObjectHalfClose[T]},
		{"A canceled SendEOF has no effect", canceledObjectHalfClose[T]},
		{"Both ways at once", objectDuplex[T]},
		{"A Receive that waits does not hinder Send", objectReceiveBesideSend[T]},
	}
}

// wantNoHalfClose wants SendEOF to be what a stream without it has.
func (p *objectProbe[T]) wantNoHalfClose(ctx context.Context) {
	if err := p.a.SendEOF(ctx); !errors.Is(err, errors.ErrUnsupported) {
		p.fatalf("SendEOF returned %v, want errors.ErrUnsupported", err)
	}
	p.carry(ctx, 0, 2)
	p.flip().carry(ctx, 0, 2)
}

func objectHalfClose[T any](ctx context.Context, p *objectProbe[T]) {
	if p.noHalfClose {
		p.wantNoHalfClose(ctx)
		return
	}
	q := p.flip()
	p.carry(ctx, 0, 2)
	p.end(ctx)
	p.receiveEOF(ctx)
	p.end(ctx)
	q.carry(ctx, 0, 100)
	q.end(ctx)
	q.receiveEOF(ctx)
	p.end(ctx)
	q.end(ctx)
}

func sendAfterObjectHalfClose[T any](ctx context.Context, p *objectProbe[T]) {
	if p.noHalfClose {
		p.wantNoHalfClose(ctx)
		return
	}
	p.end(ctx)
	for range 2 {
		p.wantAll(ctx, p.sendQuestions()[:1], "after SendEOF", net.ErrClosed)
	}
	p.receiveEOF(ctx)
	p.close(p.a)
	p.wantAll(ctx, p.sendQuestions(), "after Close", net.ErrClosed)
}

func canceledObjectHalfClose[T any](ctx context.Context, p *objectProbe[T]) {
	if p.noHalfClose {
		p.wantNoHalfClose(ctx)
		return
	}
	p.wantDone(p.sendQuestions(), "before the end")
	p.carry(ctx, 0, 2)
	p.end(ctx)
	p.wantDone(p.sendQuestions(), "after the end")
	p.receiveEOF(ctx)
}

func objectDuplex[T any](ctx context.Context, p *objectProbe[T]) {
	q := p.flip()
	c := p.startSend(ctx, 0, 500)
	d := q.startSend(ctx, 0, 500)
	other := p.start("Receives", func() (int, error) {
		return 0, catch(func() { q.receive(ctx, 0, 500) })
	})
	p.receive(ctx, 0, 500)
	if _, err := p.wait(ctx, other); err != nil {
		p.fatalf("%w", err)
	}
	p.sent(ctx, c, 500)
	p.sent(ctx, d, 500)
}

func objectReceiveBesideSend[T any](ctx context.Context, p *objectProbe[T]) {
	q := p.flip()
	c := q.waitingReceive(ctx) // a receives
	p.carry(ctx, 0, 2)
	p.stillInside(c)
	p.sent(ctx, q.startSend(ctx, 0, 1), 1)
	q.received(ctx, c, 0)
}
