package memory

import "context"

// The functions below take a call apart, to look between its steps.

// StartReceive puts a Receive in line; what it returns waits for its outcome.
func StartReceive[T any](ctx context.Context, r *Receiver[T]) (wait func() (T, error)) {
	r.o.mu.Lock()
	defer r.o.mu.Unlock()
	w := r.o.enqueue(ctx, &r.o.receivers, &r.handle)
	return func() (T, error) { return r.o.wait(ctx, &r.o.receivers, w) }
}

// StartSend is StartReceive for a Send.
func StartSend[T any](ctx context.Context, s *Sender[T], item T) (wait func() error) {
	s.o.mu.Lock()
	defer s.o.mu.Unlock()
	w := s.o.enqueue(ctx, &s.o.senders, &s.handle)
	w.item = item
	return func() error { _, err := s.o.wait(ctx, &s.o.senders, w); return err }
}

// PutSilently sends item to a waiting receiver, which wake then wakes.
func PutSilently[T any](s *Sender[T], item T) (wake func()) {
	s.o.mu.Lock()
	defer s.o.mu.Unlock()
	w, err := s.o.put(&s.handle, item)
	if w == nil || err != nil {
		panic("no receiver waits")
	}
	return func() { wakeAll(w) }
}

// TakeSilently takes an item from a waiting sender, which wake then wakes.
func TakeSilently[T any](r *Receiver[T]) (item T, wake func()) {
	r.o.mu.Lock()
	defer r.o.mu.Unlock()
	item, w, err := r.o.take(&r.handle)
	if w == nil || err != nil {
		panic("no sender waits")
	}
	return item, func() { wakeAll(w) }
}

// Chunks returns how many pieces of buffer hold what c may receive.
func Chunks(c *Conn) (n int) {
	c.pipe.mu.Lock()
	defer c.pipe.mu.Unlock()
	for k := c.in.chunks.first; k != nil; k = k.next {
		n++
	}
	return n
}

// Slots returns how many items the stream has memory for.
func Slots[T any](r *Receiver[T]) int {
	r.o.mu.Lock()
	defer r.o.mu.Unlock()
	return len(r.o.items.slots)
}
