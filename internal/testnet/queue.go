package testnet

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// A packet is on its way until it is due.
type packet struct {
	data []byte // nobody writes to it
	from netip.AddrPort
	due  time.Time
}

// A queue has the packets that are on their way to one place. It runs no
// goroutine: who takes a packet waits until it is due.
type queue struct {
	mu       sync.Mutex
	packets  []packet  // the next one first
	deadline time.Time // of pop
	closed   bool
	changed  chan struct{} // closed at the next change; nil while nobody waits
}

// push adds p, and reports whether it is going to be the last one.
func (q *queue) push(p packet) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return true
	}
	i := len(q.packets)
	for i > 0 && q.packets[i-1].due.After(p.due) {
		i--
	}
	q.packets = slices.Insert(q.packets, i, p)
	q.change()
	return i == len(q.packets)-1
}

// pop takes the next packet once it is due. The error is net.ErrClosed or
// os.ErrDeadlineExceeded.
func (q *queue) pop() (packet, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		now := time.Now()
		switch {
		case q.closed:
			return packet{}, net.ErrClosed
		case !q.deadline.IsZero() && !q.deadline.After(now):
			return packet{}, os.ErrDeadlineExceeded
		case len(q.packets) > 0 && !q.packets[0].due.After(now):
			p := q.packets[0]
			q.packets = q.packets[1:]
			return p, nil
		}
		q.wait()
	}
}

// each calls f for every packet, until the queue is closed.
func (q *queue) each(f func(data []byte)) {
	for {
		p, err := q.pop()
		if err != nil {
			return
		}
		f(p.data)
	}
}

// wait returns when something changed, or when the next packet or the deadline
// is due. It gives up the lock meanwhile.
func (q *queue) wait() {
	until := q.deadline
	if len(q.packets) > 0 && (until.IsZero() || q.packets[0].due.Before(until)) {
		until = q.packets[0].due
	}
	var due <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		due = timer.C
	}
	if q.changed == nil {
		q.changed = make(chan struct{})
	}
	changed := q.changed
	q.mu.Unlock()
	defer q.mu.Lock()
	select {
	case <-changed:
	case <-due:
	}
}

// change wakes who waits. The caller has the lock.
func (q *queue) change() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}

func (q *queue) setDeadline(t time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.deadline = t
	q.change()
}

// close loses what is on its way.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.packets = true, nil
	q.change()
}
