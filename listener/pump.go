package listener

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// A pump is what stands between tasks that accept streams below and callers
// that accept them above. The tasks run from the first Accept until Close, or
// until they were halted and all that they had accepted is handed out.
type pump[T stream.Resource] struct {
	halter

	launch  func() // starts the tasks
	cancel  context.CancelCauseFunc
	closing <-chan struct{} // closed when Close was called

	ready  chan T        // handed over one by one, so that none is left in it
	failed chan error    // errors of accepting, likewise
	done   chan struct{} // closed when no task is left
	start  sync.Once
	close  sync.Once
	closed error
}

// pumping is what the tasks of a pump are. They work under ctx, and accept under
// what acceptingFrom makes of it and ahead.
type pumping func(ctx, ahead context.Context, g *structured.Group)

// init makes p the pump that runs tasks, which accept from below.
func (p *pump[T]) init(tasks pumping, below ...attr.Provider) {
	p.ready, p.failed, p.done = make(chan T), make(chan error), make(chan struct{})
	ctx, cancel := context.WithCancelCause(context.Background())
	p.cancel, p.closing = cancel, ctx.Done()
	ahead, halt := context.WithCancel(ctx)
	p.halter.init(halt, below)
	p.launch = func() { go p.run(ctx, ahead, tasks) } // ends when the listener is closed; shut waits
}

func (p *pump[T]) run(ctx, ahead context.Context, tasks pumping) {
	defer close(p.done)
	// The tasks return no errors: they report them.
	_ = structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		tasks(ctx, ahead, g)
		return nil
	})
}

func (p *pump[T]) accept(ctx context.Context) (T, error) {
	var none T
	if err := stream.ContextError(ctx); err != nil {
		return none, err
	}
	select {
	case <-p.closing:
		return none, net.ErrClosed
	default:
		p.start.Do(p.launch)
	}
	select {
	case s := <-p.ready:
		return s, nil
	case err := <-p.failed:
		return none, err
	case <-p.closing:
		return none, net.ErrClosed
	case <-p.done: // all that was below is closed
		return none, net.ErrClosed
	case <-ctx.Done():
		return none, stream.ContextError(ctx)
	}
}

// shut ends the tasks, for which it closes what they accept from.
func (p *pump[T]) shut(below func() error) error {
	p.close.Do(func() {
		p.cancel(net.ErrClosed)
		p.closed = below()
		p.start.Do(func() { close(p.done) })
		<-p.done
	})
	return p.closed
}

// offer waits until somebody accepts s, or closes it.
func (p *pump[T]) offer(ctx context.Context, s T) {
	select {
	case p.ready <- s:
	case <-ctx.Done():
		_ = s.Close() // nobody is left to hear of an error
	}
}

// report waits until somebody hears of err, an error of accepting. It returns
// false when there is nothing more to accept.
func (p *pump[T]) report(ctx context.Context, err error) bool {
	select {
	case p.failed <- err:
		return !errors.Is(err, net.ErrClosed)
	case <-ctx.Done():
		return false
	}
}
