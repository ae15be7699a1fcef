package streamtest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/strata-go/strata/stream"
)

// objectOneWayChecks are the checks of streams of items in one direction.
func objectOneWayChecks[T any]() []objectCheck[T] {
	return []objectCheck[T]{
		{"Items arrive once and in order", itemsArrive[T]},
		{"Items come before the end, which stays", itemsBeforeEnd[T]},
		{"A Receive that waits meets the item", waitingReceiveMeetsItem[T]},
		{"A Receive that waits meets the end", waitingReceiveMeetsNoItem[T]},
		{"A done context comes first", doneObjects[T]},
		{"A deadline ends Receive", deadlineObjectReceive[T]},
		{"A canceled Receive took nothing", canceledObjectReceive[T]},
		{"A canceled Send tells whether it sent", canceledObjectSend[T]},
		{"Several callers", severalReceive[T]},
		{"Several senders", severalSend[T]},
		{"Close wakes Receive", closeWakesObjectReceive[T]},
		{"Close wakes Send", closeWakesObjectSend[T]},
		{"Close may be repeated and called by many", closeObjects[T]},
		{"Everything is net.ErrClosed after Close", objectsClosed[T]},
		{"A receiver that closed breaks Send", receiverClosed[T]},
		{"A receiver that closes wakes Send", receiverCloseWakesSend[T]},
		{"Attributes answer, also after Close", objectAttributes[T]},
		{"A storm of cancels loses no item", objectStorm[T]},
	}
}

func itemsArrive[T any](ctx context.Context, p *objectProbe[T]) {
	p.carry(ctx, 0, 1)
	p.carry(ctx, 1, 100)
}

func itemsBeforeEnd[T any](ctx context.Context, p *objectProbe[T]) {
	c := p.start("Send and the end", func() (int, error) {
		for i := range 3 {
			if err := p.s.Send(ctx, p.Item(i)); err != nil {
				return i, err
			}
		}
		return 3, p.endOf(ctx)
	})
	p.receive(ctx, 0, 3)
	p.receiveEOF(ctx)
	p.sent(ctx, c, 3)
}

// receiveEOF wants the end of the stream now and from now on.
func (p *objectProbe[T]) receiveEOF(ctx context.Context) {
	for range 3 {
		item, err := p.r.Receive(ctx)
		if err != io.EOF {
			p.fatalf("Receive returned %v, %v; want io.EOF each time", item, err)
		}
	}
}

// waitingReceive returns a Receive that waits, and whose number of items is
// one more than that of the item it got.
func (p *objectProbe[T]) waitingReceive(ctx context.Context) *call {
	receive := func() (int, error) {
		item, err := p.r.Receive(ctx)
		if err != nil {
			return 0, err
		}
		return p.Number(item) + 1, nil
	}
	if !p.Shared {
		return p.inside(ctx, "Receive", receive)
	}
	c := p.start("Receive", receive)
	p.yield()
	return c
}

// received wants c to have received item i.
func (p *objectProbe[T]) received(ctx context.Context, c *call, i int) {
	if n, err := p.wait(ctx, c); n != i+1 || err != nil {
		p.fatalf("a Receive that waited returned item %d, %v; want item %d", n-1, err, i)
	}
}

func waitingReceiveMeetsItem[T any](ctx context.Context, p *objectProbe[T]) {
	c := p.waitingReceive(ctx)
	p.sent(ctx, p.startSend(ctx, 0, 1), 1)
	p.received(ctx, c, 0)
}

func waitingReceiveMeetsNoItem[T any](ctx context.Context, p *objectProbe[T]) {
	c := p.waitingReceive(ctx)
	p.end(ctx)
	n, err := p.wait(ctx, c)
	p.want("the waiting Receive", n, err, io.EOF)
}

func doneObjects[T any](ctx context.Context, p *objectProbe[T]) {
	p.wantDone(p.receiveQuestion(), "with nothing to receive")
	p.wantDone(p.sendQuestions(), "with nothing sent")
	p.carry(ctx, 0, 2)
	c := p.waitingReceive(ctx)
	p.wantDone(p.receiveQuestion(), "while another waits")
	p.wantDone(p.sendQuestions(), "with a receiver that waits")
	p.sent(ctx, p.startSend(ctx, 2, 3), 1)
	p.received(ctx, c, 2)
	c = p.startSend(ctx, 3, 5)
	p.receive(ctx, 3, 4)
	p.yield()
	p.wantDone(p.receiveQuestion(), "with an item there")
	p.receive(ctx, 4, 5)
	p.sent(ctx, c, 2)
	p.end(ctx)
	p.wantDone(p.receiveQuestion(), "at the end")
	p.receiveEOF(ctx)
	p.close(p.s)
	p.close(p.r)
	p.wantDone(p.receiveQuestion(), "after Close")
	p.wantDone(p.sendQuestions(), "after Close")
}

func deadlineObjectReceive[T any](ctx context.Context, p *objectProbe[T]) {
	dctx, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	_, err := p.r.Receive(dctx)
	p.want("Receive with a deadline", 0, err, context.DeadlineExceeded)
	p.wantTimeout("Receive with a deadline", err, true)
	p.carry(ctx, 0, 1)
}

func canceledObjectReceive[T any](ctx context.Context, p *objectProbe[T]) {
	for i := range 3 {
		cctx, cancel := context.WithCancelCause(ctx)
		c := p.waitingReceive(cctx)
		cancel(errCustom)
		n, err := p.wait(ctx, c)
		p.want("the canceled Receive", n, err, errCustom)
		p.wantCanceled("the canceled Receive", err)
		p.carry(ctx, i, i+1)
	}
	p.end(ctx)
	p.receiveEOF(ctx)
}

// startSendEndlessly sends items until a Send returns an error.
func (p *objectProbe[T]) startSendEndlessly(ctx context.Context) *call {
	return p.startSend(ctx, 0, 1<<30)
}

// blockedSend sends items until one waits for room, and returns that Send.
func (p *objectProbe[T]) blockedSend(ctx context.Context) *call {
	var sent atomic.Int64
	c := p.start("Send", func() (int, error) {
		for i := 0; ; i++ {
			if err := p.s.Send(ctx, p.Item(i)); err != nil {
				return i, err
			}
			sent.Add(1)
		}
	})
	p.stall(ctx, &sent)
	return c
}

// canceledObjectSend cancels a Send that waits for room, and wants exactly
// those items to arrive of which Send said that they were sent.
func canceledObjectSend[T any](ctx context.Context, p *objectProbe[T]) {
	cctx, cancel := context.WithCancelCause(ctx)
	c := p.startSendEndlessly(cctx)
	p.yield()
	cancel(errCustom)
	n, err := p.wait(ctx, c)
	p.wantCanceled("the canceled Send", err)
	if p.CancelBreaksSend {
		return // the stream may be broken, and what was under way lost
	}
	end := p.start("the end", func() (int, error) { return 0, p.endOf(ctx) })
	p.receive(ctx, 0, n)
	if item, err := p.r.Receive(ctx); p.Encodes && err == nil && p.Number(item) == n {
		p.receiveEOF(ctx)
	} else if err != io.EOF {
		p.fatalf("after the %d items that were sent Receive returned %v, %v; want io.EOF", n, item, err)
	}
	if _, err := p.wait(ctx, end); err != nil {
		p.fatalf("the end after a canceled Send: %v", err)
	}
}

func severalReceive[T any](ctx context.Context, p *objectProbe[T]) {
	if !p.Shared {
		c := p.waitingReceive(ctx)
		p.wantAll(ctx, p.receiveQuestion(), "while another waits", stream.ErrBusy)
		p.stillInside(c)
		p.sent(ctx, p.startSend(ctx, 0, 1), 1)
		p.received(ctx, c, 0)
		p.carry(ctx, 1, 2)
		return
	}
	var waiting []*call
	for range 4 {
		waiting = append(waiting, p.waitingReceive(ctx))
	}
	p.sent(ctx, p.startSend(ctx, 0, 4), 4)
	sum := 0
	for i, c := range waiting {
		if p.bubble {
			p.received(ctx, c, i) // first come first served
		}
		n, err := p.wait(ctx, c)
		sum += n
		if err != nil {
			p.fatalf("one of several calls of Receive returned %v", err)
		}
	}
	if sum != 1+2+3+4 {
		p.fatalf("several calls of Receive did not get one item each")
	}
}

// severalSend lets two send without end: one is turned away, or both are
// served in turn.
func severalSend[T any](ctx context.Context, p *objectProbe[T]) {
	if !p.Shared {
		c := p.blockedSend(ctx)
		p.wantAll(ctx, p.busySendQuestions(c), "while another Send waits", stream.ErrBusy)
		return
	}
	const each = 50
	c, d := p.startSend(ctx, 0, each), p.startSend(ctx, each, 2*each)
	p.yield() // until both wait, where they have to
	next := []int{0, each}
	for range 2 * each {
		item, err := p.r.Receive(ctx)
		if err != nil {
			p.fatalf("Receive returned %v", err)
		}
		i := p.Number(item)
		sender := boolInt(i >= each)
		if i != next[sender] {
			p.fatalf("received item %d, want %d of the same sender", i, next[sender])
		}
		next[sender]++
	}
	p.sent(ctx, c, each)
	p.sent(ctx, d, each)
}

// busySendQuestions are those of sendQuestions, once c waits for room.
func (p *objectProbe[T]) busySendQuestions(c *call) []question {
	p.stillInside(c)
	return p.sendQuestions()
}

func closeWakesObjectReceive[T any](ctx context.Context, p *objectProbe[T]) {
	c := p.waitingReceive(ctx)
	p.close(p.r)
	n, err := p.wait(ctx, c)
	p.want("Receive that Close woke", n, err, net.ErrClosed)
}

func closeWakesObjectSend[T any](ctx context.Context, p *objectProbe[T]) {
	c := p.startSendEndlessly(ctx)
	p.yield()
	p.close(p.s)
	_, err := p.wait(ctx, c)
	p.want("Send that Close woke", 0, err, net.ErrClosed)
}

func closeObjects[T any](ctx context.Context, p *objectProbe[T]) {
	var closes []*call
	for range 4 {
		closes = append(closes,
			p.start("Close", func() (int, error) { return 0, p.s.Close() }),
			p.start("Close", func() (int, error) { return 0, p.r.Close() }))
	}
	for _, c := range closes {
		if _, err := p.wait(ctx, c); err != nil {
			p.fatalf("one of many calls of Close returned %v", err)
		}
	}
	p.close(p.s)
	p.close(p.r)
}

func objectsClosed[T any](ctx context.Context, p *objectProbe[T]) {
	c := p.startSend(ctx, 0, 2)
	p.receive(ctx, 0, 1)
	p.yield()
	p.close(p.r)
	p.wantAll(ctx, p.receiveQuestion(), "after Close with an item there", net.ErrClosed)
	p.wait(ctx, c)
	p.close(p.s)
	for range 2 {
		p.wantAll(ctx, p.receiveQuestion(), "after Close", net.ErrClosed)
		p.wantAll(ctx, p.sendQuestions(), "after Close", net.ErrClosed)
	}
}

func receiverClosed[T any](ctx context.Context, p *objectProbe[T]) {
	p.close(p.r)
	_, err := p.wait(ctx, p.startSendEndlessly(ctx))
	p.want("Send to a receiver that is gone", 0, err, stream.ErrBroken)
	for range 3 {
		p.want("Send on a broken stream", 0, p.s.Send(ctx, p.Item(0)), stream.ErrBroken)
	}
	p.close(p.s)
	p.wantAll(ctx, p.sendQuestions(), "after Close of a broken stream", net.ErrClosed)
}

func receiverCloseWakesSend[T any](ctx context.Context, p *objectProbe[T]) {
	c := p.startSendEndlessly(ctx)
	p.yield()
	p.close(p.r)
	_, err := p.wait(ctx, c)
	p.want("Send that waits when the receiver closes", 0, err, stream.ErrBroken)
}

func objectAttributes[T any](ctx context.Context, p *objectProbe[T]) {
	c := p.start("a lookup of attributes", func() (int, error) {
		return 0, errors.Join(
			compareFacts(p.s, func() { p.s.Close() }),
			compareFacts(p.r, func() { p.r.Close() }))
	})
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("%w", err)
	}
	if !setStays(p.s) || !setStays(p.r) {
		p.fatalf("Attributes returned different sets")
	}
}
