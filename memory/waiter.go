package memory

import "sync/atomic"

// A waiter is a call that waits: a Send with its item, or a Receive for one.
// The lock of the stream guards it, until it is settled; after that it belongs
// to the call again, which learns so by the token in wake.
type waiter[T any] struct {
	item  T
	err   error // why the call failed, if it did
	state state
	from  *handle         // what the call was made on
	done  <-chan struct{} // of the call's context
	wake  chan struct{}   // has room for the one token

	next, prev *waiter[T]
}

// state is explicit, because any item, the zero value too, may be sent.
type state uint8

const (
	waiting state = iota
	settled       // a token is in wake, or about to be
	skipped       // passed over because its context is done; no token comes
)

// abandoned reports whether the call is about to give up, in which case the
// next one in line is served instead.
func (w *waiter[T]) abandoned() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// wait reports false when the call's context was done before the token came.
func (w *waiter[T]) wait() bool {
	if w.done == nil {
		<-w.wake
		return true
	}
	select {
	case <-w.wake:
		return true
	case <-w.done:
		return false
	}
}

// waiters are calls in order of arrival.
type waiters[T any] struct {
	first, last *waiter[T]
	count       int
}

func (l *waiters[T]) add(w *waiter[T]) {
	w.prev = l.last
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
	l.count++
}

func (l *waiters[T]) remove(w *waiter[T]) {
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.next, w.prev = nil, nil
	l.count--
}

// settle takes out the oldest call that is not about to give up, or returns
// nil. Its outcome is fixed from here on: the caller says what it is, and
// wakes it after unlocking.
func (l *waiters[T]) settle() *waiter[T] {
	for w := l.first; w != nil; w = l.first {
		l.remove(w)
		if !w.abandoned() {
			w.state = settled
			return w
		}
		w.state = skipped
	}
	return nil
}

// fail settles the calls made on h, or every call when h is nil, with err, and
// puts them before the rest of woken.
func (l *waiters[T]) fail(h *handle, err error, woken *waiter[T]) *waiter[T] {
	for w := l.first; w != nil; {
		next := w.next
		if h == nil || w.from == h {
			l.remove(w)
			w.state, w.err = settled, err
			w.next, woken = woken, w
		}
		w = next
	}
	return woken
}

// wakeAll wakes settled calls, outside the lock: a call that wakes needs it.
func wakeAll[T any](w *waiter[T]) {
	for w != nil {
		next := w.next // w is not ours after the token
		w.wake <- struct{}{}
		w = next
	}
}

// spares are waiters to use again, each with its channel. Anybody may push;
// only who holds the stream's lock may pop, and without a second popper a
// head that has not moved has not been away either.
type spares[T any] struct {
	head atomic.Pointer[waiter[T]]
}

func (s *spares[T]) push(w *waiter[T]) {
	*w = waiter[T]{wake: w.wake}
	for {
		w.next = s.head.Load()
		if s.head.CompareAndSwap(w.next, w) {
			return
		}
	}
}

func (s *spares[T]) pop() *waiter[T] {
	for {
		w := s.head.Load()
		if w == nil {
			return &waiter[T]{wake: make(chan struct{}, 1)}
		}
		if s.head.CompareAndSwap(w, w.next) {
			w.next = nil
			return w
		}
	}
}
