package relay

import (
	"sync"
	"time"
)

// idle ends a relay that is half-open while nothing moves.
type idle struct {
	limit  time.Duration
	expire func(cause error) // set before the first end

	mu    sync.Mutex
	ended int         // directions
	timer *time.Timer // nil while both directions are open
	cause error       // why it expired
}

func newIdle(cfg *Config) *idle {
	limit := DefaultHalfOpen
	if cfg != nil && cfg.HalfOpen != 0 {
		limit = cfg.HalfOpen
	}
	return &idle{limit: limit}
}

// end is called when a direction has ended.
func (i *idle) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended++
	if i.ended == 1 && i.limit > 0 {
		i.timer = time.AfterFunc(i.limit, i.fire)
	}
}

// touch is called when bytes move.
func (i *idle) touch() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.timer != nil {
		i.timer.Reset(i.limit)
	}
}

func (i *idle) fire() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ended == 2 {
		return // just in time
	}
	i.cause = &IdleError{HalfOpen: i.limit}
	i.expire(i.cause)
}

func (i *idle) err() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.cause
}

func (i *idle) stop() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.timer != nil {
		i.timer.Stop()
	}
}
