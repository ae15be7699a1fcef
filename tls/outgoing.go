package tls

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/strata-go/strata/stream"
)

// outgoing is the sending half of what crypto/tls takes for its connection. A
// write never blocks and never fails: it appends to a queue, which whoever has
// the sending direction flushes, holding none of crypto/tls's locks. So a
// Receive that must answer the peer does not wait for a Send that is blocked,
// and crypto/tls, which does not forgive a failed write, never sees one.
type outgoing struct {
	s stream.ByteStream

	mu       sync.Mutex
	queue    []byte // records in order; the first may be half sent
	flushing bool   // somebody is in flush, and will see what is appended
	expected int    // how long the queue may grow but for answers
	open     bool   // the handshake is done
	ended    bool   // close_notify was written, nothing may follow

	flooded atomic.Bool // there are more than maxAnswers bytes of answers

	stuck atomic.Bool // a flush was interrupted, and none succeeded since
}

// maxAnswers is how many bytes of answers may wait for the next Send. A peer
// may ask for new keys as often as it likes, and each time it gets about 30
// bytes; honest ones do so once in millions of records.
const maxAnswers = 64 << 10

var errUnanswered = errors.New("tls: peer asks for new keys faster than this side sends")

func (o *outgoing) write(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return
	}
	if o.queue == nil && !o.open {
		o.queue = borrow(recordSize) // for a flight of several records
	}
	o.queue = append(o.queue, p...)
	if o.open && len(o.queue) > o.expected+maxAnswers {
		o.flooded.Store(true)
	}
}

// end drops what crypto/tls writes from now on. An answer to the peer behind
// close_notify would be taken for plaintext after an Unwrap.
func (o *outgoing) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
}

// establish ends the handshake. What was not sent may wait for long, and so
// keeps no more memory than it needs.
func (o *outgoing) establish() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open = true
	o.stuck.Store(false) // session tickets do not count as a Send's remainder
	rest := bytes.Clone(o.queue)
	giveBack(o.queue)
	o.queue = rest
}

// reserve makes room for size bytes that a Send is about to have written.
func (o *outgoing) reserve(size int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.expected += size
	if cap(o.queue)-len(o.queue) >= size {
		return
	}
	roomy := append(borrow(len(o.queue)+size), o.queue...)
	giveBack(o.queue)
	o.queue = roomy
}

// claim reports whether there is something to flush and nobody who does. After
// true the caller must flush.
func (o *outgoing) claim() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.flushing || len(o.queue) == 0 {
		return false
	}
	o.flushing = true
	return true
}

// flush hands the queue to the transport. When it is interrupted the rest
// stays, and goes first next time. One goroutine may flush at a time.
func (o *outgoing) flush(ctx context.Context) error {
	for {
		b := o.take()
		if b == nil && !o.stuck.Load() {
			return nil
		}
		// With nothing in the queue the layer below may still hold a tail.
		n, err := o.s.Send(ctx, b)
		if err != nil {
			o.putBack(b, n)
			o.stuck.Store(true)
			return err
		}
		o.stuck.Store(false)
		giveBack(b)
	}
}

// try is flush for what the transport takes without waiting. After false
// the caller must flush.
func (o *outgoing) try() bool {
	for b := o.take(); b != nil; b = o.take() {
		n, err := stream.TrySend(o.s, b)
		if err != nil {
			o.putBack(b, n)
			o.claim()
			return false
		}
		giveBack(b)
	}
	return true
}

// take returns the queue, or nil when it is empty and flushing is over.
func (o *outgoing) take() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flushing = len(o.queue) > 0
	b := o.queue
	o.queue, o.expected = nil, 0
	if !o.flushing {
		giveBack(b)
		return nil
	}
	return b
}

// putBack puts what is left of b, of which n bytes were sent, before what was
// appended since.
func (o *outgoing) putBack(b []byte, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flushing = false
	rest := b[:copy(b, b[n:])]
	o.expected = len(rest)
	rest = append(rest, o.queue...)
	giveBack(o.queue)
	o.queue = rest
}
