package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
)

// ErrDrained is the cause with which [Serve] cancels handlers when the grace
// period is over.
var ErrDrained = errors.New("listener: grace period over")

// A DrainError reports that handlers did not finish within the grace period
// and were canceled.
type DrainError struct {
	Grace   time.Duration
	Streams []string // the remote address of each stream, or its type where it has none
}

func (e *DrainError) Error() string {
	return fmt.Sprintf("listener: canceled %d handlers after %v: %s",
		len(e.Streams), e.Grace, strings.Join(e.Streams, ", "))
}

// Unwrap returns [ErrDrained].
func (e *DrainError) Unwrap() error { return ErrDrained }

// ErrDraining is the cause with which the contexts of [Draining] end when
// their server stops.
var ErrDraining = errors.New("listener: server is stopping")

// Draining returns a context that ends when ctx does, and with the cause
// [ErrDraining] as soon as the [Serve] that runs this handler has stopped
// accepting. It is for waiting where a handler could as well end, such as for
// the next command; what follows that is done under ctx, which lasts for as
// long as Config.Grace. Call stop when it is no longer needed. In a context
// that does not come from Serve nothing ever drains.
func Draining(ctx context.Context) (idle context.Context, stop context.CancelFunc) {
	idle, cancel := context.WithCancelCause(ctx)
	draining, ok := ctx.Value(drainingKey{}).(context.Context)
	if !ok {
		return idle, func() { cancel(nil) }
	}
	if draining.Err() != nil {
		cancel(ErrDraining) // before the caller can wait for anything
	}
	unwatch := context.AfterFunc(draining, func() { cancel(ErrDraining) })
	return idle, func() {
		unwatch()
		cancel(nil)
	}
}

type drainingKey struct{}

// The backlog counts as empty once nothing came out of it for backlogPause,
// and it may take no longer than backlogTime, since others may fill it all
// the while. As long again has what was accepted ahead and is not ready, whose
// peers may be silent.
const (
	backlogPause = 10 * time.Millisecond
	backlogTime  = time.Second
)

// drain closes the listener, waits for the handlers and cancels those that
// do not finish in time.
func (srv *server[S]) drain(ctx context.Context, cancel context.CancelCauseFunc) error {
	grace := max(srv.cfg.Grace, 0)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	if ctx.Err() != nil && srv.cfg.Grace > 0 {
		srv.takeBacklog(context.WithoutCancel(ctx))
		srv.takeAhead(context.WithoutCancel(ctx))
	}
	closeErr := srv.ln.Close()
	select {
	case <-srv.visits.empty():
		return closeErr
	case <-timer.C:
	}
	left := srv.visits.names()
	if len(left) == 0 {
		return closeErr // the last one ended as the timer fired
	}
	cancel(ErrDrained)
	return errors.Join(closeErr, &DrainError{Grace: grace, Streams: left})
}

// takeBacklog accepts what others would see reset when the listener closes:
// to them the connection was made. That nothing came counts only if it was found
// out in time: a machine that is busy elsewhere may not have looked.
func (srv *server[S]) takeBacklog(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, min(backlogTime, srv.cfg.Grace))
	defer cancel()
	for srv.slots.take(ctx) == nil {
		start := time.Now()
		quick, cancel := context.WithTimeout(ctx, backlogPause)
		err := srv.acceptInto(quick)
		cancel()
		if err != nil && !isAny(err, diedInBacklog) && time.Since(start) < 2*backlogPause {
			return
		}
	}
}

// takeAhead accepts what a listener that accepts ahead has, once that is ready.
func (srv *server[S]) takeAhead(ctx context.Context) {
	if !haltAll(srv.ln) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, min(backlogTime, srv.cfg.Grace))
	defer cancel()
	for ctx.Err() == nil {
		if errors.Is(srv.acceptOne(ctx), net.ErrClosed) {
			return
		}
	}
}

// visits are those whose handling goes on.
type visits[S stream.Resource] struct {
	mu    sync.Mutex
	live  map[*visit[S]]struct{}
	ended chan struct{} // made by empty, closed when none is left
}

func newVisits[S stream.Resource]() *visits[S] {
	return &visits[S]{live: make(map[*visit[S]]struct{})}
}

func (t *visits[S]) add(v *visit[S]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.live[v] = struct{}{}
}

func (t *visits[S]) remove(v *visit[S]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.live, v)
	if t.ended != nil && len(t.live) == 0 {
		close(t.ended)
	}
}

// empty returns a channel that is closed when none is left. It is called
// once, when no more are added.
func (t *visits[S]) empty() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = make(chan struct{})
	if len(t.live) == 0 {
		close(t.ended)
	}
	return t.ended
}

func (t *visits[S]) names() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	names := make([]string, 0, len(t.live))
	for v := range t.live {
		names = append(names, nameOf(v.s))
	}
	slices.Sort(names)
	return names
}

func nameOf(s attr.Provider) string {
	if addr, ok := sockattr.RemoteAddr.Lookup(s); ok {
		return addr.String()
	}
	return fmt.Sprintf("%T", s)
}

func addressOf(ln attr.Provider) string {
	if addr, ok := sockattr.LocalAddr.Lookup(ln); ok {
		return addr.String()
	}
	return fmt.Sprintf("%T", ln)
}
