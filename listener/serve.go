package listener

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// Serve accepts streams from ln until ctx is done and runs handler for each
// in a task of its own, whose stream it closes when the handler returns. What
// a handler returns goes to Config.OnError and to no other handler.
//
// Once ctx is done Serve takes what waits in the backlog, until nothing came
// for 10 ms and for 1 s at most, and then what listeners that accept ahead, such
// as that of Prepare, have ready within another second. It closes ln, waits for
// the handlers until Config.Grace is over and cancels those that are left.
// It returns when all of them have: nil after a clean stop, a [*DrainError]
// naming the streams that had to be canceled, or the error that ended
// accepting; that one is net.ErrClosed when somebody else closed ln.
//
// A shortage of descriptors or memory does not end accepting, nor what a
// firewall forbids (EPERM): Serve tries again after 5 ms, then waits twice as long
// each time, 1 s at most. A connection that died before it could be accepted is
// passed over.
//
// The context of a handler has the values of ctx. It is done when the grace
// period is over, and not before; see [Draining]. A handler that does not heed
// it keeps its stream and holds Serve up for as long as it runs.
func Serve[S stream.Resource](ctx context.Context, ln stream.Listener[S], handler func(context.Context, S) error, cfg *Config[S]) error {
	if ln == nil {
		return errors.New("listener: Serve: nil listener")
	}
	if handler == nil {
		return errors.Join(errors.New("listener: Serve: nil handler"), ln.Close())
	}
	srv := &server[S]{ln: ln, handler: handler, cfg: cfg.withDefaults(), visits: newVisits[S]()}
	if srv.cfg.CapturePanics {
		srv.handler = capturing(handler)
	}
	srv.slots = newSlots(srv.cfg.Limit)
	return srv.run(ctx)
}

type server[S stream.Resource] struct {
	ln      stream.Listener[S]
	handler func(context.Context, S) error
	cfg     Config[S]
	slots   slots
	visits  *visits[S]
	spawn   func(S) // starts a handler
}

func (srv *server[S]) run(ctx context.Context) error {
	draining, announce := context.WithCancel(context.Background())
	defer announce()
	handling := context.WithValue(context.WithoutCancel(ctx), drainingKey{}, draining)
	handling, cancel := context.WithCancelCause(handling)
	defer cancel(nil)

	var err error
	groupErr := structured.Run(handling, func(handling context.Context, g *structured.Group) error {
		srv.spawn = func(s S) { srv.start(handling, g, s) }
		err = srv.acceptAll(ctx)
		announce()
		err = errors.Join(err, srv.drain(ctx, cancel))
		return nil // or the group would cancel the handlers
	})
	return errors.Join(err, groupErr)
}

// acceptAll returns nil when ctx is done, or why there is nothing more to
// accept.
func (srv *server[S]) acceptAll(ctx context.Context) error {
	if srv.cfg.Ready != nil {
		srv.cfg.Ready()
	}
	retry := backoff{logger: srv.cfg.Logger}
	for {
		err := srv.acceptOne(ctx)
		switch {
		case err == nil:
			retry.reset()
		case ctx.Err() != nil:
			return nil
		case !retry.wait(ctx, err):
			return fmt.Errorf("listener: accept: %w", err)
		}
	}
}

// acceptOne accepts a stream as soon as there is room for its handler.
func (srv *server[S]) acceptOne(ctx context.Context) error {
	if err := srv.slots.take(ctx); err != nil {
		return err
	}
	return srv.acceptInto(ctx)
}

// acceptInto accepts a stream into a slot that was taken for it.
func (srv *server[S]) acceptInto(ctx context.Context) error {
	s, err := srv.ln.Accept(ctx)
	if err != nil {
		srv.slots.give()
		return err
	}
	srv.spawn(s)
	return nil
}

// A visit is a stream and what its handling takes.
type visit[S stream.Resource] struct {
	srv *server[S]
	ctx context.Context // of the handler
	s   S
}

// start runs the handler of s, which has a slot. Nothing stands between the
// task and the handler, and little on the stack there: handlers wait most of
// the time, and that takes least as long as the 2 KiB of stack with which a
// goroutine begins are enough.
func (srv *server[S]) start(ctx context.Context, g *structured.Group, s S) {
	v := &visit[S]{srv, ctx, s}
	srv.visits.add(v)
	g.Go("handler", func(context.Context) error {
		defer v.release() // also after a handler that does not return
		v.finish(v.srv.handler(v.ctx, v.s))
		return nil
	})
}

// finish closes the stream, whose handler returned err, and tells what went
// wrong.
//
//go:noinline
func (v *visit[S]) finish(err error) {
	if err = errors.Join(err, v.s.Close()); err != nil {
		v.srv.cfg.OnError(v.ctx, v.s, err)
	}
}

func (v *visit[S]) release() {
	_ = v.s.Close() // finish told its error, if it came to that
	v.srv.visits.remove(v)
	v.srv.slots.give()
}

// capturing is handler with its panics for errors.
func capturing[S any](handler func(context.Context, S) error) func(context.Context, S) error {
	return func(ctx context.Context, s S) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = &structured.PanicError{Value: v, Stack: debug.Stack()}
			}
		}()
		return handler(ctx, s)
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
