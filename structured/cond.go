package structured

import (
	"context"
	"sync"
)

// A Cond lets goroutines wait until another tells them that what a [Mutex]
// protects has changed. Waiters are woken first come first served.
type Cond struct {
	m *Mutex

	mu    sync.Mutex
	queue queue
}

// CondStatistics is a snapshot of a [Cond].
type CondStatistics struct {
	Waiting int             // callers in Wait and WaitFor
	Mutex   MutexStatistics // those who wait for it again are told here
}

// NewCond returns a condition of what m protects. It panics when m is nil.
func NewCond(m *Mutex) *Cond {
	if m == nil {
		panic("structured: NewCond: nil mutex")
	}
	return &Cond{m: m}
}

// Wait unlocks the mutex, which the caller holds, waits for a Signal or a
// Broadcast, and locks the mutex again. It holds the mutex again when it
// returns an error too, and waits for it as long as that takes: a canceled
// Wait changes only why it returns. A signal that reaches a canceled waiter
// goes to the next.
//
// Wait panics when the mutex is unlocked.
func (c *Cond) Wait(ctx context.Context) error {
	c.mustBeLocked("Cond.Wait")
	if err := canceled(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	w := c.queue.push()
	c.mu.Unlock()
	c.m.Unlock()
	err := c.queue.wait(ctx, &c.mu, w, func() { c.queue.grant() })
	if relock := c.m.Lock(context.WithoutCancel(ctx)); relock != nil {
		panic("structured: Cond.Wait: " + relock.Error()) // cannot be canceled
	}
	return err
}

// WaitFor waits until predicate, which is called with the mutex held, returns
// true. The rest is as for [Cond.Wait].
func (c *Cond) WaitFor(ctx context.Context, predicate func() bool) error {
	if predicate == nil {
		panic("structured: Cond.WaitFor: nil predicate")
	}
	c.mustBeLocked("Cond.WaitFor")
	if err := canceled(ctx); err != nil {
		return err
	}
	for !predicate() {
		if err := c.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Signal wakes the waiter that has waited longest, if there is one. The
// caller need not hold the mutex, but should if a waiter must not miss it.
func (c *Cond) Signal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue.grant()
}

// Broadcast wakes all waiters. The caller need not hold the mutex.
func (c *Cond) Broadcast() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.queue.grant() != nil {
	}
}

// Statistics returns a snapshot.
func (c *Cond) Statistics() CondStatistics {
	c.mu.Lock()
	waiting := c.queue.n
	c.mu.Unlock()
	return CondStatistics{Waiting: waiting, Mutex: c.m.Statistics()}
}

func (c *Cond) mustBeLocked(method string) {
	if !c.m.Statistics().Locked {
		panic("structured: " + method + " without the mutex: lock it first")
	}
}
