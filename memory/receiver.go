package memory

import (
	"context"
	"net"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// A Receiver is one receiving handle of a stream made by [New]. Any number of
// goroutines may use it at once, and further handles come from
// [Receiver.Clone]. Each item goes to one of them.
type Receiver[T any] struct {
	o *objects[T]
	handle
}

var _ stream.ObjectReceiver[int] = (*Receiver[int])(nil)

// Receive waits for the next item. A canceled Receive has taken nothing: an
// item that arrives at that moment is returned with a nil error, or goes to
// the next in line.
//
// The error is io.EOF once every sender is closed and the buffer is empty, and
// net.ErrClosed once this handle is closed.
func (r *Receiver[T]) Receive(ctx context.Context) (T, error) {
	if ctx.Err() != nil {
		var zero T
		return zero, stream.ContextError(ctx)
	}
	r.o.mu.Lock()
	item, woken, err := r.o.take(&r.handle)
	if err == stream.ErrWouldBlock {
		w := r.o.enqueue(ctx, &r.o.receivers, &r.handle)
		r.o.mu.Unlock()
		return r.o.wait(ctx, &r.o.receivers, w)
	}
	r.o.mu.Unlock()
	wakeAll(woken)
	return item, err
}

// TryReceive is Receive without waiting: the error is [stream.ErrWouldBlock]
// when the buffer is empty and no sender waits.
func (r *Receiver[T]) TryReceive() (T, error) {
	r.o.mu.Lock()
	item, woken, err := r.o.take(&r.handle)
	r.o.mu.Unlock()
	wakeAll(woken)
	return item, err
}

// Clone returns a further handle of the same stream. The receiving side ends
// when every handle is closed. The error is net.ErrClosed when this one is.
func (r *Receiver[T]) Clone() (*Receiver[T], error) {
	r.o.mu.Lock()
	defer r.o.mu.Unlock()
	if r.closed {
		return nil, net.ErrClosed
	}
	r.o.openReceivers++
	return &Receiver[T]{o: r.o}, nil
}

// Close closes this handle and wakes the calls that wait on it with
// net.ErrClosed. Calls on other handles are not affected, unless this was the
// last open Receiver: then what is in the buffer is let go, and every Send,
// also one that waits, fails with a [*stream.BrokenError] whose cause is
// io.ErrClosedPipe. Close never waits and may be called again. Its error is
// always nil.
func (r *Receiver[T]) Close() error {
	r.o.mu.Lock()
	var woken *waiter[T]
	if !r.closed {
		r.closed = true
		woken = r.o.dropReceiver(&r.handle)
	}
	r.o.mu.Unlock()
	wakeAll(woken)
	return nil
}

// Statistics returns how the stream is doing, the same from every handle.
func (r *Receiver[T]) Statistics() Statistics { return r.o.statistics() }

// Attributes returns an empty set: memory knows no facts about items.
func (r *Receiver[T]) Attributes() *attr.Set { return nil }
