package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// Multi returns one listener over several, which may themselves be such: a
// server on a TCP port and on a Unix socket, with [Of] to bring their types
// together. Multi takes over lns, and panics when there is none or one is nil.
//
// An error of one of them is returned by Accept once, with that listener's
// address, and the others go on: [Serve] waits out a shortage and ends at any
// other, closing them all.
//
// Nothing is accepted before the first Accept. From then on each of lns may
// be one stream ahead.
func Multi[S stream.Resource](lns ...stream.Listener[S]) *Merged[S] {
	if len(lns) == 0 {
		panic("listener: Multi: no listeners")
	}
	below := make([]attr.Provider, len(lns))
	for i, ln := range lns {
		if ln == nil {
			panic("listener: Multi: nil listener")
		}
		below[i] = ln
	}
	m := &Merged[S]{lns: slices.Clone(lns)}
	m.pump.init(m.acceptAll, below...)
	return m
}

// A Merged is a listener over several. Several goroutines may accept at once.
// Its attributes are those of all of them: Get returns the first one's, All
// yields everyone's.
type Merged[S stream.Resource] struct {
	lns  []stream.Listener[S]
	pump pump[S]
}

var _ stream.Listener[stream.Resource] = (*Merged[stream.Resource])(nil)

// Listeners returns what [Multi] was given, in that order.
func (m *Merged[S]) Listeners() []stream.Listener[S] { return slices.Clone(m.lns) }

// Accept waits for the next stream of any of the listeners. A canceled Accept
// has taken none. Once all of them are closed it is net.ErrClosed.
func (m *Merged[S]) Accept(ctx context.Context) (S, error) { return m.pump.accept(ctx) }

// Attributes returns those of all the listeners, the first one's first.
func (m *Merged[S]) Attributes() *attr.Set { return &m.pump.facts }

// Close closes all of the listeners, and what nobody accepted. The errors are
// joined.
func (m *Merged[S]) Close() error {
	return m.pump.shut(func() error {
		errs := make([]error, len(m.lns))
		for i, ln := range m.lns {
			errs[i] = ln.Close()
		}
		return errors.Join(errs...)
	})
}

func (m *Merged[S]) acceptAll(_, ahead context.Context, g *structured.Group) {
	for _, ln := range m.lns {
		g.Go("accept", func(ctx context.Context) error {
			m.acceptFrom(ctx, ahead, ln)
			return nil
		})
	}
}

func (m *Merged[S]) acceptFrom(ctx, ahead context.Context, ln stream.Listener[S]) {
	accepting := acceptingFrom(ctx, ahead, ln)
	for accepting.Err() == nil {
		s, err := ln.Accept(accepting)
		switch {
		case err == nil:
			m.pump.offer(ctx, s)
		case ahead.Err() != nil && errors.Is(err, net.ErrClosed):
			return // as was to be, and no error of ln
		case accepting.Err() == nil && !m.pump.report(ctx, fmt.Errorf("listener: %s: %w", addressOf(ln), err)):
			return
		}
	}
}
