package structured

import (
	"context"
	"sync"
	"sync/atomic"
)

// An Event happens once: everybody who waits for it, before or after, goes on.
//
// The zero Event has not happened and is ready to use. Any goroutine may call
// any method. An Event must not be copied after first use.
type Event struct {
	mu      sync.Mutex
	set     bool
	done    chan struct{} // made by who first needs it
	waiting atomic.Int64
}

// EventStatistics is a snapshot of an [Event].
type EventStatistics struct {
	Set     bool
	Waiting int // callers in Wait
}

// Set lets the event happen. Again it has no effect.
func (e *Event) Set() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.set {
		return
	}
	e.set = true
	if e.done == nil {
		e.done = make(chan struct{})
	}
	close(e.done)
}

// IsSet reports whether the event has happened.
func (e *Event) IsSet() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.set
}

// Done returns a channel that is closed once the event has happened.
func (e *Event) Done() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.done == nil {
		e.done = make(chan struct{})
	}
	return e.done
}

// Wait waits until the event has happened. When it happens before ctx is
// done, a Wait that was already waiting returns nil even if it learns of both
// at once.
func (e *Event) Wait(ctx context.Context) error {
	if err := canceled(ctx); err != nil {
		return err
	}
	if e.IsSet() {
		return nil
	}
	e.waiting.Add(1)
	defer e.waiting.Add(-1)
	select {
	case <-e.Done():
		return nil
	case <-ctx.Done():
	}
	if e.IsSet() {
		return nil
	}
	return canceled(ctx)
}

// Statistics returns a snapshot.
func (e *Event) Statistics() EventStatistics {
	return EventStatistics{Set: e.IsSet(), Waiting: int(e.waiting.Load())}
}
