package structured

import (
	"context"
	"reflect"
	"sync"
)

// A CapacityLimiter lends a number of tokens, which can be changed while
// they are lent: the right to one of 40 threads, to one of so many requests.
// Waiters are served first come first served. A token can be lent to nobody in
// particular, or on behalf of a borrower, who may have only one: a user, a
// connection, whatever can be compared.
//
// The zero CapacityLimiter has no tokens until SetTotal. A CapacityLimiter
// must not be copied after first use.
type CapacityLimiter struct {
	mu        sync.Mutex
	total     int
	anonymous int          // tokens lent to nobody in particular
	borrowers map[any]bool // true: has a token; false: waits for one
	holding   int          // how many of borrowers have one
	queue     queue
}

// LimiterStatistics is a snapshot of a [CapacityLimiter].
type LimiterStatistics struct {
	Borrowed  int   // tokens that are lent; more than Total after that was lowered
	Total     int   // tokens that there are
	Borrowers []any // who have a token on their behalf, in no order
	Waiting   int   // callers that wait for a token
}

// NewCapacityLimiter returns a limiter with total tokens. It panics when
// total is negative. For no limit, use math.MaxInt.
func NewCapacityLimiter(total int) *CapacityLimiter {
	if total < 0 {
		panic("structured: NewCapacityLimiter: negative total")
	}
	return &CapacityLimiter{total: total}
}

// Acquire borrows a token, and waits for one if need be. A canceled Acquire
// has borrowed nothing.
func (l *CapacityLimiter) Acquire(ctx context.Context) error {
	return l.acquire(ctx, nil)
}

// AcquireOnBehalfOf is [CapacityLimiter.Acquire] on behalf of borrower. The
// error is [ErrBusy] if borrower has a token or waits for one.
// AcquireOnBehalfOf panics when borrower is nil, cannot be compared or, as NaN,
// does not equal itself.
func (l *CapacityLimiter) AcquireOnBehalfOf(ctx context.Context, borrower any) error {
	checkBorrower(borrower)
	return l.acquire(ctx, borrower)
}

// TryAcquire borrows a token if one is free, and reports whether it did.
func (l *CapacityLimiter) TryAcquire() bool { return l.tryAcquire(nil) }

// TryAcquireOnBehalfOf is [CapacityLimiter.TryAcquire] on behalf of borrower.
// It returns false also if borrower has a token or waits for one.
func (l *CapacityLimiter) TryAcquireOnBehalfOf(borrower any) bool {
	checkBorrower(borrower)
	return l.tryAcquire(borrower)
}

// Release gives a token of [CapacityLimiter.Acquire] back. It panics when
// there is none to give back.
func (l *CapacityLimiter) Release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.anonymous == 0 {
		panic("structured: CapacityLimiter.Release without Acquire: call Release once for each Acquire that returned nil")
	}
	l.giveBack(nil)
}

// ReleaseOnBehalfOf gives the token of borrower back. It panics when borrower
// has none.
func (l *CapacityLimiter) ReleaseOnBehalfOf(borrower any) {
	checkBorrower(borrower)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.borrowers[borrower] {
		panic("structured: CapacityLimiter.ReleaseOnBehalfOf: this borrower has borrowed nothing")
	}
	l.giveBack(borrower)
}

// SetTotal changes how many tokens there are. Raised, it serves waiters at
// once. Lowered, it takes nothing back: nobody gets a token until fewer than
// total are lent. SetTotal panics when total is negative.
func (l *CapacityLimiter) SetTotal(total int) {
	if total < 0 {
		panic("structured: CapacityLimiter.SetTotal: negative total")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total = total
	l.serve()
}

// Statistics returns a snapshot.
func (l *CapacityLimiter) Statistics() LimiterStatistics {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := LimiterStatistics{Borrowed: l.anonymous + l.holding, Total: l.total, Waiting: l.queue.n}
	for b, holds := range l.borrowers {
		if holds {
			s.Borrowers = append(s.Borrowers, b)
		}
	}
	return s
}

func (l *CapacityLimiter) acquire(ctx context.Context, borrower any) error {
	if err := canceled(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	if l.knows(borrower) {
		l.mu.Unlock()
		return ErrBusy
	}
	if l.free() {
		l.lend(borrower)
		l.mu.Unlock()
		return nil
	}
	if borrower != nil {
		l.note(borrower, false)
	}
	w := l.queue.push()
	w.borrower = borrower
	l.mu.Unlock()
	err := l.queue.wait(ctx, &l.mu, w, func() { l.giveBack(borrower) })
	if err != nil && borrower != nil {
		l.forget(borrower, w)
	}
	return err
}

// forget removes the note of a borrower that waited in vain. Until then the
// borrower counts as waiting.
func (l *CapacityLimiter) forget(borrower any, w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !w.granted {
		delete(l.borrowers, borrower)
	}
}

func (l *CapacityLimiter) tryAcquire(borrower any) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.knows(borrower) || !l.free() {
		return false
	}
	l.lend(borrower)
	return true
}

// The rest is called with l.mu held.

func (l *CapacityLimiter) free() bool {
	return l.queue.n == 0 && l.anonymous+l.holding < l.total
}

func (l *CapacityLimiter) knows(borrower any) bool {
	if borrower == nil {
		return false
	}
	_, ok := l.borrowers[borrower]
	return ok
}

func (l *CapacityLimiter) lend(borrower any) {
	if borrower == nil {
		l.anonymous++
		return
	}
	l.note(borrower, true)
	l.holding++
}

func (l *CapacityLimiter) note(borrower any, holds bool) {
	if l.borrowers == nil {
		l.borrowers = map[any]bool{}
	}
	l.borrowers[borrower] = holds
}

func (l *CapacityLimiter) giveBack(borrower any) {
	if borrower == nil {
		l.anonymous--
	} else {
		delete(l.borrowers, borrower)
		l.holding--
	}
	l.serve()
}

// serve lends to waiters what is free.
func (l *CapacityLimiter) serve() {
	for l.anonymous+l.holding < l.total {
		w := l.queue.grant()
		if w == nil {
			return
		}
		l.lend(w.borrower)
	}
}

func checkBorrower(borrower any) {
	if borrower == nil {
		panic("structured: CapacityLimiter: nil borrower: Acquire is for nobody in particular")
	}
	if !reflect.ValueOf(borrower).Comparable() {
		panic("structured: CapacityLimiter: a borrower that cannot be compared")
	}
	if again := borrower; again != borrower { // it holds a NaN: its token could never be given back
		panic("structured: CapacityLimiter: a borrower that does not equal itself")
	}
}
