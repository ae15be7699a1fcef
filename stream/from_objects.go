package stream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"

	"github.com/strata-go/strata/attr"
)

// FromObjects makes a byte stream of a stream of byte slices, and owns it.
// See [FlatReceiver] and [FlatSender] for its two directions. FromObjects
// panics when o is nil.
func FromObjects(o ObjectStream[[]byte]) *Stapled {
	need(o, "FromObjects: nil o")
	r, s := FromObjectReceiver(o), FromObjectSender(o)
	s.failure = r.failure
	return Staple(r, s)
}

// A FlatReceiver receives the bytes of items, whose boundaries are lost: an
// item larger than the caller's buffer comes in several pieces, an empty one
// not at all. [FromObjectReceiver] makes it.
//
// A canceled Receive has taken nothing.
type FlatReceiver struct {
	half[ObjectReceiver[[]byte]]
	facts   attr.Set
	failure *failure
	surplus []byte       // of the last item; nil when there is none
	unread  atomic.Int64 // its length, for Unread
}

var _ ByteReceiver = (*FlatReceiver)(nil)

var flatReceiverFacts = attr.Define(attr.From(Unread, (*FlatReceiver).countUnread))

// FromObjectReceiver makes a byte stream of items, and owns r. It panics when
// r is nil.
func FromObjectReceiver(r ObjectReceiver[[]byte]) *FlatReceiver {
	need(r, "FromObjectReceiver: nil r")
	f := &FlatReceiver{failure: new(failure)}
	f.inner = r
	flatReceiverFacts.Init(&f.facts, f, r)
	return f
}

// Attributes are [Unread], the rest of the last item, over those of the items'
// stream.
func (r *FlatReceiver) Attributes() *attr.Set { return &r.facts }

// Receive returns what is left of the last item, else bytes of the next one
// that has any.
func (r *FlatReceiver) Receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, ErrEmptyBuffer
	}
	if err := r.enter(ctx); err != nil {
		return 0, err
	}
	defer r.leave()
	if err := r.fill(ctx); err != nil {
		return 0, err
	}
	n := copy(p, r.surplus)
	r.keep(r.surplus[n:])
	return n, nil
}

// WaitReceive waits for an item that has bytes and keeps it for Receive. See
// [WaitReceive].
func (r *FlatReceiver) WaitReceive(ctx context.Context) error {
	if err := r.enter(ctx); err != nil {
		return err
	}
	defer r.leave()
	if err := r.fill(ctx); err != io.EOF {
		return err
	}
	return nil
}

func (r *FlatReceiver) fill(ctx context.Context) error {
	for r.surplus == nil {
		item, err := r.inner.Receive(ctx)
		if err == io.EOF && r.failure.met() != nil {
			return r.failure.met() // a clean end after a Send that failed is none
		}
		if err != nil {
			return r.failure.note(err)
		}
		r.keep(item)
	}
	return nil
}

func (r *FlatReceiver) keep(p []byte) {
	if len(p) == 0 {
		p = nil // let go of the item, and skip an empty one
	}
	r.surplus = p
	r.unread.Store(int64(len(p)))
}

func (r *FlatReceiver) countUnread() (int, error) {
	if r.closed.Load() {
		return 0, net.ErrClosed
	}
	return int(r.unread.Load()), nil
}

// A FlatSender sends bytes as items of at most 64 KiB. [FromObjectSender]
// makes it.
//
// A canceled Send has sent the items that n counts, and is resumed with p[n:].
// Send of an empty p sends no item, unless the last one was cut short with a
// [*PartialSendError]: then it flushes.
type FlatSender struct {
	half[ObjectSender[[]byte]]
	failure *failure
	ended   bool // by SendEOF
	owing   bool // the rest of the last item waits below
}

var _ ByteSender = (*FlatSender)(nil)

// FromObjectSender makes a byte stream that s carries as items, and owns s. It
// panics when s is nil.
func FromObjectSender(s ObjectSender[[]byte]) *FlatSender {
	need(s, "FromObjectSender: nil s")
	f := &FlatSender{failure: new(failure)}
	f.inner = s
	return f
}

// Send sends a copy of p, since items belong to whoever receives them.
func (s *FlatSender) Send(ctx context.Context, p []byte) (int, error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.leave()
	if s.ended {
		return 0, net.ErrClosed
	}
	if err := s.failure.met(); err != nil {
		return 0, err
	}
	n := 0
	for n < len(p) || s.owing {
		sent, err := s.sendItem(ctx, p[n:min(n+copyBufferSize, len(p))])
		n += sent
		if err != nil {
			return n, s.failure.note(err)
		}
	}
	return n, nil
}

func (s *FlatSender) sendItem(ctx context.Context, p []byte) (int, error) {
	var err error
	if len(p) > 0 {
		err = s.inner.Send(ctx, bytes.Clone(p))
	} else {
		err = s.flush(ctx)
	}
	if err == nil {
		s.owing = false
		return len(p), nil
	}
	if part, ok := errors.AsType[*PartialSendError](err); ok {
		s.owing = true
		return len(p), part.Err
	}
	return 0, err
}

// flush has the items' stream send what it has left: by its Flush where it has
// one, as package buffered's have, else with an empty item.
func (s *FlatSender) flush(ctx context.Context) error {
	if f, ok := s.inner.(interface{ Flush(context.Context) error }); ok {
		return f.Flush(ctx)
	}
	return s.inner.Send(ctx, nil)
}

// SendEOF is the SendEOF of the items' stream where that has one, else its
// Close.
func (s *FlatSender) SendEOF(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	if s.ended {
		return nil
	}
	if err := s.failure.met(); err != nil {
		return err
	}
	err := s.failure.note(endSending(ctx, s.inner))
	s.ended = err == nil
	return err
}

// failure is what broke a connection, in whichever direction it was met.
type failure struct {
	broken atomic.Pointer[BrokenError]
}

// met returns the failure, or nil while there is none.
func (f *failure) met() error {
	if b := f.broken.Load(); b != nil {
		return b
	}
	return nil
}

// note returns err, or the first failure where err is one.
func (f *failure) note(err error) error {
	if !errors.Is(err, ErrBroken) {
		return err
	}
	f.broken.CompareAndSwap(nil, Broken(err))
	return f.met()
}
