package structured

import (
	"context"
	"sync"
)

// A Semaphore is a number of permits. Waiters are served first come first
// served: a permit that is released while somebody waits is theirs at once,
// and nobody who comes later can take it.
//
// Permits are not tied to goroutines. The zero Semaphore has no permits and
// no maximum. A Semaphore must not be copied after first use.
type Semaphore struct {
	max int // 0 is no maximum

	mu    sync.Mutex
	value int // positive only if nobody waits
	queue queue
}

// SemaphoreStatistics is a snapshot of a [Semaphore].
type SemaphoreStatistics struct {
	Value   int // permits that are free
	Max     int // 0 means no maximum
	Waiting int // callers in Acquire
}

// NewSemaphore returns a semaphore with the given number of free permits. It
// never has more than max of them; zero means no maximum. To bound what runs
// at the same time, initial and max are the same number. NewSemaphore panics
// when a number is negative, and when initial is beyond max.
func NewSemaphore(initial, max int) *Semaphore {
	switch {
	case initial < 0 || max < 0:
		panic("structured: NewSemaphore: negative number of permits")
	case max > 0 && initial > max:
		panic("structured: NewSemaphore: more permits than the maximum")
	}
	return &Semaphore{value: initial, max: max}
}

// Acquire takes a permit, and waits for one if need be. A canceled Acquire
// has taken none.
func (s *Semaphore) Acquire(ctx context.Context) error {
	if err := canceled(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	if s.value > 0 {
		s.value--
		s.mu.Unlock()
		return nil
	}
	w := s.queue.push()
	s.mu.Unlock()
	return s.queue.wait(ctx, &s.mu, w, s.release)
}

// TryAcquire takes a permit if one is free, and reports whether it did.
func (s *Semaphore) TryAcquire() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.value == 0 {
		return false
	}
	s.value--
	return true
}

// Release gives a permit back. It panics when that makes more than the
// maximum: somebody has released what they did not acquire.
func (s *Semaphore) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.max > 0 && s.value == s.max {
		panic("structured: Semaphore.Release beyond the maximum: call Release once for each Acquire that returned nil")
	}
	s.release()
}

// Statistics returns a snapshot.
func (s *Semaphore) Statistics() SemaphoreStatistics {
	s.mu.Lock()
	defer s.mu.Unlock()
	return SemaphoreStatistics{Value: s.value, Max: s.max, Waiting: s.queue.n}
}

func (s *Semaphore) release() {
	if s.queue.grant() == nil {
		s.value++
	}
}
