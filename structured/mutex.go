package structured

import (
	"context"
	"sync"
)

// A Mutex is a mutual exclusion lock whose Lock can be canceled. Waiters are
// served first come first served: Unlock hands the mutex to the first, and
// nobody who comes later can take it. For short sections that wait for
// nothing, sync.Mutex is cheaper.
//
// The zero Mutex is unlocked and ready to use. It is not tied to a goroutine:
// any may unlock it. A Mutex must not be copied after first use.
type Mutex struct {
	mu     sync.Mutex
	locked bool
	queue  queue
}

// MutexStatistics is a snapshot of a [Mutex].
type MutexStatistics struct {
	Locked  bool
	Waiting int // callers in Lock
}

// Lock locks m, and waits for it if need be. After a canceled Lock the caller
// does not have it.
func (m *Mutex) Lock(ctx context.Context) error {
	if err := canceled(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	if !m.locked {
		m.locked = true
		m.mu.Unlock()
		return nil
	}
	w := m.queue.push()
	m.mu.Unlock()
	return m.queue.wait(ctx, &m.mu, w, m.unlock)
}

// TryLock locks m if it is unlocked, and reports whether it did.
func (m *Mutex) TryLock() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked {
		return false
	}
	m.locked = true
	return true
}

// Unlock hands m to the first waiter, or unlocks it. It panics when m is not
// locked.
func (m *Mutex) Unlock() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.locked {
		panic("structured: Mutex.Unlock of an unlocked mutex: call Unlock once for each Lock that returned nil")
	}
	m.unlock()
}

// Statistics returns a snapshot.
func (m *Mutex) Statistics() MutexStatistics {
	m.mu.Lock()
	defer m.mu.Unlock()
	return MutexStatistics{Locked: m.locked, Waiting: m.queue.n}
}

func (m *Mutex) unlock() {
	m.locked = m.queue.grant() != nil
}
