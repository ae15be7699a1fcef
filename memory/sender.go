package memory

import (
	"context"
	"net"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// A Sender is one sending handle of a stream made by [New]. Any number of
// goroutines may use it at once, and further handles come from [Sender.Clone].
type Sender[T any] struct {
	o *objects[T]
	handle
}

var _ stream.ObjectSender[int] = (*Sender[int])(nil)

// Send hands item to a receiver or to the buffer, and waits until one of them
// takes it. A canceled Send has sent nothing.
//
// The error is net.ErrClosed once this handle is closed, and a
// [*stream.BrokenError] once every receiver is. A Send that returned nil may
// have been for nothing all the same: a receiver may close with items in the
// buffer.
func (s *Sender[T]) Send(ctx context.Context, item T) error {
	if ctx.Err() != nil {
		return stream.ContextError(ctx)
	}
	s.o.mu.Lock()
	woken, err := s.o.put(&s.handle, item)
	if err == stream.ErrWouldBlock {
		w := s.o.enqueue(ctx, &s.o.senders, &s.handle)
		w.item = item
		s.o.mu.Unlock()
		_, err = s.o.wait(ctx, &s.o.senders, w)
		return err
	}
	s.o.mu.Unlock()
	wakeAll(woken)
	return err
}

// TrySend is Send without waiting: the error is [stream.ErrWouldBlock] when
// the buffer is full and no receiver waits.
func (s *Sender[T]) TrySend(item T) error {
	s.o.mu.Lock()
	woken, err := s.o.put(&s.handle, item)
	s.o.mu.Unlock()
	wakeAll(woken)
	return err
}

// Clone returns a further handle of the same stream. The sending side ends
// when every handle is closed. The error is net.ErrClosed when this one is.
func (s *Sender[T]) Clone() (*Sender[T], error) {
	s.o.mu.Lock()
	defer s.o.mu.Unlock()
	if s.closed {
		return nil, net.ErrClosed
	}
	s.o.openSenders++
	return &Sender[T]{o: s.o}, nil
}

// Close closes this handle and wakes the calls that wait on it with
// net.ErrClosed. Calls on other handles are not affected, unless this was the
// last open Sender: then receivers get what is in the buffer and io.EOF after
// that. Close never waits and may be called again. Its error is always nil.
func (s *Sender[T]) Close() error {
	s.o.mu.Lock()
	var woken *waiter[T]
	if !s.closed {
		s.closed = true
		woken = s.o.dropSender(&s.handle)
	}
	s.o.mu.Unlock()
	wakeAll(woken)
	return nil
}

// Statistics returns how the stream is doing, the same from every handle.
func (s *Sender[T]) Statistics() Statistics { return s.o.statistics() }

// Attributes returns an empty set: memory knows no facts about items.
func (s *Sender[T]) Attributes() *attr.Set { return nil }
