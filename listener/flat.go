package listener

import (
	"context"
	"errors"
	"net"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// FlatConfig says how [Flat] goes about it. A nil FlatConfig and the zero one
// mean all defaults. Flat copies it.
type FlatConfig[L stream.Resource] struct {
	// OnError is told why nothing more can be accepted from one of the inner
	// listeners, unless it was closed here. That one is closed by then, but
	// its fixed attributes still answer. OnError may run several times at
	// once, and must not close the listener, whose Close waits for it. Nil
	// drops the error.
	OnError func(inner L, err error)
}

// Flat returns one listener of all streams that the listeners which ln
// accepts accept: of the streams of all connections, where a connection
// carries many.
//
// Each inner listener is accepted from in a task of its own, which is one
// stream ahead at most, so that one with many streams holds up none of the
// others. When it fails it is closed, and the others go on.
//
// Nothing is accepted before the first Accept. Flat takes over ln, and panics
// when it is nil.
func Flat[L stream.Listener[S], S stream.Resource](ln stream.Listener[L], cfg *FlatConfig[L]) *Flattened[L, S] {
	if ln == nil {
		panic("listener: Flat: nil listener")
	}
	f := &Flattened[L, S]{ln: ln}
	if cfg != nil {
		f.cfg = *cfg
	}
	f.pump.init(f.acceptAll)
	return f
}

// A Flattened is a listener of the streams of listeners. Several goroutines
// may accept at once. Its attributes are those of the listener below.
type Flattened[L stream.Listener[S], S stream.Resource] struct {
	ln   stream.Listener[L]
	cfg  FlatConfig[L]
	pump pump[S]
}

var _ stream.Listener[stream.Resource] = (*Flattened[stream.Listener[stream.Resource], stream.Resource])(nil)

// Accept waits for the next stream of any of the inner listeners. A canceled
// Accept has taken none. An error of accepting below is returned once, and
// ends Accept for good if it was net.ErrClosed.
func (f *Flattened[L, S]) Accept(ctx context.Context) (S, error) { return f.pump.accept(ctx) }

// Attributes returns those of the listener below.
func (f *Flattened[L, S]) Attributes() *attr.Set { return f.ln.Attributes() }

// Close closes the listener below, all that it accepted, and the streams that
// nobody accepted. It returns when that is done.
func (f *Flattened[L, S]) Close() error { return f.pump.shut(f.ln.Close) }

// acceptAll returns when either listener is closed. The inner ones then go on.
func (f *Flattened[L, S]) acceptAll(ctx, _ context.Context, g *structured.Group) {
	for {
		inner, err := f.ln.Accept(ctx)
		if err == nil {
			g.Go("inner listener", func(ctx context.Context) error {
				f.acceptFrom(ctx, inner)
				return nil
			})
			continue
		}
		if errors.Is(err, net.ErrClosed) || !f.pump.report(ctx, err) {
			return
		}
	}
}

// acceptFrom returns when inner fails or the listener is closed.
func (f *Flattened[L, S]) acceptFrom(ctx context.Context, inner L) {
	for {
		s, err := inner.Accept(ctx)
		if err == nil {
			f.pump.offer(ctx, s)
			continue
		}
		closeErr := inner.Close()
		if ctx.Err() == nil && f.cfg.OnError != nil {
			f.cfg.OnError(inner, errors.Join(err, closeErr))
		}
		return
	}
}
