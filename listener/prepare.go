package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// The defaults of [PrepareConfig].
const (
	DefaultPrepareTimeout  = 30 * time.Second
	DefaultPrepareInFlight = 1024
)

// PrepareConfig says how [Prepare] goes about it. A nil PrepareConfig and the
// zero one mean all defaults. Prepare copies it.
type PrepareConfig[S stream.Resource] struct {
	// Timeout is how long the preparation of one stream may take. Zero means
	// DefaultPrepareTimeout, 30 s; negative means no limit.
	Timeout time.Duration

	// InFlight is how many streams may be in preparation, or prepared and
	// not yet accepted, at once. At the limit one more is accepted, and the
	// preparation that has waited for its peer longest gives way to it, with
	// the cause ErrCrowdedOut, once it has waited for 250 ms in all. That time
	// is halved with every InFlight streams that gave way in a row, so that
	// clients which stall, of any number, hold up others for half a second.
	// While none waits, as [WaitsForPeer] tells, the stream waits for room and
	// further ones in the backlog.
	//
	// Zero means DefaultPrepareInFlight, 1024; negative means no limit.
	InFlight int

	// OnError is told why a stream was not handed out. The stream is closed
	// by then, but its fixed attributes still answer. OnError may run
	// several times at once, and must not close the listener, whose Close
	// waits for it. Nil drops the error.
	OnError func(s S, err error)
}

func (c *PrepareConfig[S]) withDefaults() PrepareConfig[S] {
	var full PrepareConfig[S]
	if c != nil {
		full = *c
	}
	if full.Timeout == 0 {
		full.Timeout = DefaultPrepareTimeout
	}
	if full.InFlight == 0 {
		full.InFlight = DefaultPrepareInFlight
	}
	if full.OnError == nil {
		full.OnError = func(S, error) {}
	}
	return full
}

// Prepare returns a listener that runs prepare for each stream which ln
// accepts, in a task of its own, and hands out those that succeeded, in the
// order in which they did. One silent client therefore holds up nobody.
//
// The context of prepare is done after PrepareConfig.Timeout, when the stream
// has to give way to another (prepare says with [WaitsForPeer] when it may have
// to), or when the listener is closed. The function must not close that itself:
// Close waits for it. When prepare returns an error, its stream is closed.
//
// Nothing is accepted before the first Accept. From then on streams are
// accepted and prepared ahead, up to PrepareConfig.InFlight. Prepare takes
// over ln, and panics when ln or prepare is nil.
func Prepare[S stream.Resource, T stream.Resource](ln stream.Listener[S], prepare func(context.Context, S) (T, error), cfg *PrepareConfig[S]) *Prepared[S, T] {
	if ln == nil {
		panic("listener: Prepare: nil listener")
	}
	if prepare == nil {
		panic("listener: Prepare: nil prepare")
	}
	full := cfg.withDefaults()
	p := &Prepared[S, T]{ln: ln, prepare: prepare, cfg: full, crowd: newCrowd(full.InFlight)}
	p.pump.init(p.acceptAll, ln)
	return p
}

// A Prepared is a listener of streams that [Prepare] made ready. Several
// goroutines may accept at once. Its attributes are those of the listener
// below.
type Prepared[S stream.Resource, T stream.Resource] struct {
	ln      stream.Listener[S]
	prepare func(context.Context, S) (T, error)
	cfg     PrepareConfig[S]
	crowd   *crowd
	pump    pump[T]
}

var _ stream.Listener[stream.Resource] = (*Prepared[stream.Resource, stream.Resource])(nil)

// Accept waits for a stream that is ready. A canceled Accept has taken none.
// An error of accepting below is returned once, and ends Accept for good if
// it was net.ErrClosed.
func (p *Prepared[S, T]) Accept(ctx context.Context) (T, error) { return p.pump.accept(ctx) }

// Attributes returns those of the listener below.
func (p *Prepared[S, T]) Attributes() *attr.Set { return &p.pump.facts }

// Close closes the listener below, cancels what is in preparation and closes
// what nobody accepted. It returns when that is done.
func (p *Prepared[S, T]) Close() error { return p.pump.shut(p.ln.Close) }

// acceptAll returns when either listener is closed or halted. What is in
// preparation then goes on.
func (p *Prepared[S, T]) acceptAll(ctx, ahead context.Context, g *structured.Group) {
	accepting := acceptingFrom(ctx, ahead, p.ln)
	for {
		s, err := p.ln.Accept(accepting)
		switch {
		case err == nil:
			if !p.admit(ctx, g, s) {
				return
			}
		case accepting.Err() != nil || errors.Is(err, net.ErrClosed) || !p.pump.report(ctx, err):
			return
		}
	}
}

// admit starts the preparation of s once there is room for it. It returns false
// when the listener is closed.
func (p *Prepared[S, T]) admit(ctx context.Context, g *structured.Group, s S) bool {
	place, err := p.crowd.enter(ctx)
	if err != nil {
		p.refuse(s, err)
		return false
	}
	g.Go("prepare", func(ctx context.Context) error {
		defer place.goes()
		p.handOut(ctx, s, place)
		return nil
	})
	return true
}

// handOut prepares s and waits until somebody accepts it.
func (p *Prepared[S, T]) handOut(ctx context.Context, s S, g *guest) {
	preparing, cancel := g.settle(ctx)
	defer cancel(nil)
	ready, err := p.prepareInTime(preparing, s)
	if err != nil {
		p.refuse(s, err)
		return
	}
	g.ready()
	p.pump.offer(ctx, ready)
}

// refuse closes s and tells why.
func (p *Prepared[S, T]) refuse(s S, err error) {
	p.cfg.OnError(s, errors.Join(err, s.Close()))
}

func (p *Prepared[S, T]) prepareInTime(ctx context.Context, s S) (T, error) {
	if p.cfg.Timeout < 0 {
		return p.prepare(ctx, s)
	}
	late := &PrepareTimeoutError{Timeout: p.cfg.Timeout}
	ctx, cancel := context.WithTimeoutCause(ctx, p.cfg.Timeout, late)
	defer cancel()
	return p.prepare(ctx, s)
}

// A PrepareTimeoutError is the cause with which the context of a preparation
// ends that took too long. It is context.DeadlineExceeded.
type PrepareTimeoutError struct {
	Timeout time.Duration
}

func (e *PrepareTimeoutError) Error() string {
	return fmt.Sprintf("listener: stream not ready within %v", e.Timeout)
}

// Unwrap returns context.DeadlineExceeded.
func (e *PrepareTimeoutError) Unwrap() error { return context.DeadlineExceeded }
