package memory

import (
	"context"
	"io"
	"math"
	"net"
	"sync"

	"github.com/strata-go/strata/stream"
)

// Unbounded is the size of a stream whose Send never waits. What nobody
// receives then fills the memory.
const Unbounded = math.MaxInt

// New returns the two ends of a stream of items that holds up to size of
// them. With size 0 each Send waits until its item is received. New panics
// when size is negative.
//
// Callers are served in order of arrival: an item sent while receivers wait
// belongs to the one that waits longest, and room that is freed while senders
// wait goes to the longest waiting of them. A call whose context is done has
// lost its place. Each handle may be used by any number of goroutines at once;
// Clone makes further ones. The memory of the buffer grows with what is in it.
func New[T any](size int) (*Sender[T], *Receiver[T]) {
	if size < 0 {
		panic("memory: New: negative size")
	}
	o := &objects[T]{size: size, openSenders: 1, openReceivers: 1}
	return &Sender[T]{o: o}, &Receiver[T]{o: o}
}

// A handle is one Sender or Receiver of a stream.
type handle struct {
	closed bool
}

// objects is what the handles of a stream share. Senders wait only while the
// buffer is full, receivers only while it is empty, and never both at once,
// but for calls that are about to give up.
type objects[T any] struct {
	mu    sync.Mutex // never held while waiting
	items ring[T]
	size  int
	peak  int

	senders       waiters[T]
	receivers     waiters[T]
	openSenders   int
	openReceivers int
	broken        *stream.BrokenError // once no receiver is left

	spares spares[T]
}

// put is a Send on h that does not wait: it hands item to the longest waiting
// receiver, which is then to be woken, or to the buffer.
func (o *objects[T]) put(h *handle, item T) (woken *waiter[T], err error) {
	if h.closed {
		return nil, net.ErrClosed
	}
	if o.broken != nil {
		return nil, o.broken
	}
	if o.receivers.first != nil {
		if woken = o.receivers.settle(); woken != nil {
			woken.item = item
			return woken, nil
		}
	}
	if o.items.count >= o.size {
		return nil, stream.ErrWouldBlock
	}
	o.buffer(item)
	return nil, nil
}

// take is a Receive on h that does not wait: it takes the oldest item. That
// makes room for the longest waiting sender, which is then to be woken.
func (o *objects[T]) take(h *handle) (item T, woken *waiter[T], err error) {
	if h.closed {
		return item, nil, net.ErrClosed
	}
	if o.senders.first != nil {
		woken = o.senders.settle()
	}
	switch {
	case o.items.count > 0:
		item = o.items.pop()
		if woken != nil {
			o.buffer(woken.item)
		}
	case woken != nil:
		item = woken.item
	case o.openSenders == 0:
		err = io.EOF
	default:
		err = stream.ErrWouldBlock
	}
	return item, woken, err
}

func (o *objects[T]) buffer(item T) {
	o.items.push(item)
	o.peak = max(o.peak, o.items.count)
}

// enqueue puts a call at the end of the line.
func (o *objects[T]) enqueue(ctx context.Context, l *waiters[T], h *handle) *waiter[T] {
	w := o.spares.pop()
	w.from, w.done = h, ctx.Done()
	l.add(w)
	return w
}

// wait waits until w is settled and returns its outcome, or takes it out of
// the line when ctx is done first. The waiter is free after it.
func (o *objects[T]) wait(ctx context.Context, l *waiters[T], w *waiter[T]) (item T, err error) {
	if !w.wait() {
		if o.withdraw(l, w) {
			o.spares.push(w)
			return item, stream.ContextError(ctx)
		}
		<-w.wake
	}
	item, err = w.item, w.err
	o.spares.push(w)
	return item, err
}

// withdraw takes w out of the line, unless its outcome is already fixed.
func (o *objects[T]) withdraw(l *waiters[T], w *waiter[T]) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if w.state == waiting {
		l.remove(w)
	}
	return w.state != settled
}

// dropSender closes a Sender, and with the last one the stream's end.
func (o *objects[T]) dropSender(h *handle) (woken *waiter[T]) {
	o.openSenders--
	if o.openSenders == 0 {
		woken = o.receivers.fail(nil, io.EOF, woken)
	}
	return o.senders.fail(h, net.ErrClosed, woken)
}

// dropReceiver closes a Receiver. With the last one what nobody received is
// let go, and the senders' side breaks.
func (o *objects[T]) dropReceiver(h *handle) (woken *waiter[T]) {
	o.openReceivers--
	if o.openReceivers == 0 {
		o.items = ring[T]{}
		o.broken = stream.Broken(io.ErrClosedPipe)
		woken = o.senders.fail(nil, o.broken, woken)
	}
	return o.receivers.fail(h, net.ErrClosed, woken)
}
