package structured

import (
	"context"
	"sync"
)

// A waiter waits in a queue for whatever the queue's owner grants.
type waiter struct {
	next, prev *waiter
	ready      chan struct{} // closed by the grant
	granted    bool
	borrower   any // in a CapacityLimiter
}

// A queue is the waiters of one synchronization primitive, first come first
// served. All but wait are called with the owner's lock held. Waiting itself
// is on a channel made for the occasion, never on a held mutex, so that it is
// durable blocking in a testing/synctest bubble.
type queue struct {
	first, last *waiter
	n           int
}

func (q *queue) push() *waiter {
	w := &waiter{ready: make(chan struct{}), prev: q.last}
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	q.n++
	return w
}

func (q *queue) remove(w *waiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	q.n--
}

// grant takes the first waiter out and lets it go. It returns nil if there
// is none.
func (q *queue) grant() *waiter {
	w := q.first
	if w != nil {
		q.remove(w)
		w.granted = true
		close(w.ready)
	}
	return w
}

// wait waits until w is granted or ctx is done. In the latter case a grant
// that has reached w all the same is passed to giveBack, with mu held, and
// the error tells the cancellation.
func (q *queue) wait(ctx context.Context, mu *sync.Mutex, w *waiter, giveBack func()) error {
	select {
	case <-w.ready:
	case <-ctx.Done():
	}
	err := canceled(ctx)
	if err == nil {
		return nil
	}
	mu.Lock()
	defer mu.Unlock()
	if w.granted {
		giveBack()
	} else {
		q.remove(w)
	}
	return err
}
