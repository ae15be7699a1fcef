package stream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"github.com/strata-go/strata/attr"
)

// StapledObjects is an object stream made of a receiver and a sender.
// [StapleObjects] makes it.
//
// As many goroutines may send at once as the sender serves, and as many may
// receive as the receiver does. When one side breaks, the other lives on,
// unless both belong to one connection. A canceled Send leaves behind what
// the sender says.
type StapledObjects[T any] struct {
	receiver ObjectReceiver[T]
	sender   ObjectSender[T]
	facts    *attr.Set

	// Each Send holds sending for reading and SendEOF holds it for writing.
	// Nobody ever waits for it.
	sending sync.RWMutex
	closed  atomic.Bool
}

var _ ObjectStream[any] = (*StapledObjects[any])(nil)

// StapleObjects makes one stream that receives from r and sends to s, and
// owns both. Where both have an attribute, that of r wins. StapleObjects
// panics when one of them is nil.
func StapleObjects[T any](r ObjectReceiver[T], s ObjectSender[T]) *StapledObjects[T] {
	need(r, "StapleObjects: nil r")
	need(s, "StapleObjects: nil s")
	return &StapledObjects[T]{receiver: r, sender: s, facts: attr.Merge(r, s)}
}

// Attributes are the receiver's, then the sender's.
func (s *StapledObjects[T]) Attributes() *attr.Set { return s.facts }

// Receive is the receiver's.
func (s *StapledObjects[T]) Receive(ctx context.Context) (T, error) {
	return s.receiver.Receive(ctx)
}

// Send is the sender's. It is [ErrBusy] during a SendEOF.
func (s *StapledObjects[T]) Send(ctx context.Context, item T) error {
	if err := s.enter(ctx, s.sending.TryRLock); err != nil {
		return err
	}
	defer s.sending.RUnlock()
	return s.sender.Send(ctx, item)
}

// TrySend is the sender's, which hands item over if that needs no waiting.
// Where the sender has no TrySend, the error names its type and is
// errors.ErrUnsupported.
func (s *StapledObjects[T]) TrySend(item T) error {
	try, ok := s.sender.(interface{ TrySend(item T) error })
	if !ok {
		return fmt.Errorf("stream: %T has no TrySend: %w", s.sender, errors.ErrUnsupported)
	}
	if err := s.enter(context.Background(), s.sending.TryRLock); err != nil {
		return err
	}
	defer s.sending.RUnlock()
	return try.TrySend(item)
}

// SendEOF is the sender's SendEOF where it has one, also if that is
// errors.ErrUnsupported, else the sender's Close. It is [ErrBusy] during a
// Send.
func (s *StapledObjects[T]) SendEOF(ctx context.Context) error {
	if err := s.enter(ctx, s.sending.TryLock); err != nil {
		return err
	}
	defer s.sending.Unlock()
	return endSending(ctx, s.sender)
}

// Close closes the sender and the receiver, both always, and joins their
// errors.
func (s *StapledObjects[T]) Close() error {
	s.closed.Store(true)
	return errors.Join(s.sender.Close(), s.receiver.Close())
}

// Abort aborts the sender and the receiver, see [Abort], and joins their
// errors.
func (s *StapledObjects[T]) Abort(cause error) error {
	s.closed.Store(true)
	return errors.Join(Abort(s.sender, cause), Abort(s.receiver, cause))
}

// enter answers in the order of the contract, line 1.
func (s *StapledObjects[T]) enter(ctx context.Context, tryLock func() bool) error {
	if err := ContextError(ctx); err != nil {
		return err
	}
	if s.closed.Load() {
		return net.ErrClosed
	}
	if !tryLock() {
		return ErrBusy
	}
	return nil
}
