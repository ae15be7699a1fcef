package streamtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// objectStorm sends and receives with cancellations at random instants, with
// several callers where there may be several. Every item of which Send
// returned nil has to arrive once; an item whose Send was canceled, not at
// all, or at most once where it is sent in pieces.
func objectStorm[T any](ctx context.Context, p *objectProbe[T]) {
	if p.CancelBreaksSend {
		p.carry(ctx, 0, p.Operations)
		return
	}
	workers := 1 + 2*boolInt(p.Shared)
	ledgers := make([]itemLedger, 2*workers) // of senders and receivers
	var senders, receivers []*call
	for w := range workers {
		senders = append(senders, p.start("a storm of Sends", func() (int, error) {
			return 0, p.stormSend(ctx, w, workers, &ledgers[w])
		}))
		receivers = append(receivers, p.start("a storm of Receives", func() (int, error) {
			return 0, p.stormReceive(ctx, &ledgers[workers+w])
		}))
	}
	p.allEnded(ctx, senders)
	if err := p.endOf(ctx); err != nil {
		p.fatalf("the end of a storm: %v", err)
	}
	p.allEnded(ctx, receivers)
	p.compareLedgers(ledgers[:workers], ledgers[workers:])
}

// itemLedger is the numbers of the items that somebody handled.
type itemLedger struct {
	sure  []int // sent, or received
	maybe []int // canceled, but possibly sent
}

func (p *objectProbe[T]) allEnded(ctx context.Context, calls []*call) {
	for _, c := range calls {
		if _, err := p.wait(ctx, c); err != nil {
			p.fatalf("%s: %w", c.name, err)
		}
	}
}

// stormSend sends every item whose number is first more than a multiple of
// step. The last goes without cancellation, so that none stays in pieces.
func (p *objectProbe[T]) stormSend(ctx context.Context, first, step int, l *itemLedger) error {
	for i := first; i < p.Operations; i += step {
		cctx, stop := someContext(ctx)
		if i+step >= p.Operations {
			cctx = ctx
		}
		err := p.s.Send(cctx, p.Item(i))
		stop()
		switch {
		case err == nil:
			l.sure = append(l.sure, i)
		case errors.Is(err, errCustom):
			l.maybe = append(l.maybe, i)
		default:
			return fmt.Errorf("Send: %w", err)
		}
	}
	return nil
}

func (p *objectProbe[T]) stormReceive(ctx context.Context, l *itemLedger) error {
	for {
		cctx, stop := someContext(ctx)
		item, err := p.r.Receive(cctx)
		stop()
		switch {
		case err == nil:
			l.sure = append(l.sure, p.Number(item))
		case err == io.EOF:
			return nil
		case !errors.Is(err, errCustom):
			return fmt.Errorf("Receive: %w", err)
		}
	}
}

func (p *objectProbe[T]) compareLedgers(sent, received []itemLedger) {
	arrived := make(map[int]bool)
	for _, l := range received {
		if len(sent) == 1 && !slices.IsSorted(l.sure) {
			p.fatalf("the items of a storm were received out of order")
		}
		for _, i := range l.sure {
			if i < 0 || arrived[i] {
				p.fatalf("item %d was received twice, or never sent", i)
			}
			arrived[i] = true
		}
	}
	for _, l := range sent {
		for _, i := range l.sure {
			if !arrived[i] {
				p.fatalf("item %d was sent and never received", i)
			}
			delete(arrived, i)
		}
		for _, i := range l.maybe {
			if p.Encodes {
				delete(arrived, i)
			}
		}
	}
	for i := range arrived {
		p.fatalf("item %d was received though its Send was canceled", i)
	}
}
