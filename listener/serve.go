package listener

import (
	"context"
	"errors"
	"fmt"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// Serve accepts streams from ln until ctx is done and runs handler for each
// in a task of its own, whose stream it closes when the handler returns. What
// a handler returns goes to Config.OnError and to no other handler.
//
// Once ctx is done Serve closes ln, waits up to Config.Grace for the handlers
// and cancels those that are left. It returns when all of them have: nil after
// a clean stop, a [*DrainError] naming the streams that had to be canceled, or
// the error that ended accepting; that one is net.ErrClosed when somebody else
// closed ln.
//
// A shortage of descriptors or memory does not end accepting: Serve tries
// again after 5 ms, then waits twice as long each time, 1 s at most. A
// connection that died before it could be accepted is passed over.
//
// The context of a handler has the values of ctx. It is done when the grace
// period is over, and not before; see [Draining]. A handler that panics ends
// the program, as a panic does in any goroutine.
func Serve[S stream.Resource](ctx context.Context, ln stream.Listener[S], handler func(context.Context, S) error, cfg *Config[S]) error {
	if ln == nil {
		return errors.New("listener: Serve: nil listener")
	}
	if handler == nil {
		return errors.Join(errors.New("listener: Serve: nil handler"), ln.Close())
	}
	srv := &server[S]{ln: ln, handler: handler, cfg: cfg.withDefaults(), streams: newStreams[S]()}
	return srv.run(ctx)
}

type server[S stream.Resource] struct {
	ln      stream.Listener[S]
	handler func(context.Context, S) error
	cfg     Config[S]
	streams *streams[S]
}

func (srv *server[S]) run(ctx context.Context) error {
	draining := make(chan struct{})
	handling := context.WithValue(context.WithoutCancel(ctx), drainingKey{}, (<-chan struct{})(draining))
	handling, cancel := context.WithCancelCause(handling)
	defer cancel(nil)

	var err error
	groupErr := structured.Run(handling, func(handling context.Context, g *structured.Group) error {
		err = srv.acceptAll(ctx, handling, g)
		err = errors.Join(err, srv.ln.Close())
		close(draining)
		err = errors.Join(err, srv.drain(cancel))
		return nil // or the group would cancel the handlers
	})
	return errors.Join(err, groupErr)
}

// acceptAll returns nil when ctx is done, or why there is nothing more to
// accept.
func (srv *server[S]) acceptAll(ctx, handling context.Context, g *structured.Group) error {
	slots := newSlots(srv.cfg.Limit)
	retry := backoff{logger: srv.cfg.Logger}
	for {
		if slots.take(ctx) != nil {
			return nil
		}
		s, err := srv.ln.Accept(ctx)
		switch {
		case err == nil:
			retry.reset()
			srv.streams.add(&s)
			g.Go("handler", func(context.Context) error {
				defer slots.give()
				srv.handle(handling, &s)
				return nil
			})
			continue
		case ctx.Err() != nil:
			return nil
		case !retry.wait(ctx, err):
			return fmt.Errorf("listener: accept: %w", err)
		}
		slots.give()
	}
}

func (srv *server[S]) handle(ctx context.Context, s *S) {
	defer srv.streams.remove(s)
	defer (*s).Close() // for a handler that does not return
	err := srv.handler(ctx, *s)
	if err = errors.Join(err, (*s).Close()); err != nil {
		srv.cfg.OnError(ctx, *s, err)
	}
}

// slots limits how much goes on at once; nil is no limit.
type slots chan struct{}

func newSlots(limit int) slots {
	if limit <= 0 {
		return nil
	}
	return make(slots, limit)
}

func (s slots) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil || s == nil {
		return err
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s slots) give() {
	if s != nil {
		<-s
	}
}
