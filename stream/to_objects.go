package stream

import (
	"bytes"
	"context"
	"errors"
)

// ToObjects makes a stream of byte slices of a byte stream, and owns it. See
// [ChunkReceiver] and [ChunkSender] for its two directions. The items have no
// boundaries of their own on the way: what is sent as one may be received as
// several, and the other way round. ToObjects panics when s is nil.
func ToObjects(s ByteStream) *StapledObjects[[]byte] {
	need(s, "ToObjects: nil s")
	return StapleObjects(ToObjectReceiver(s), ToObjectSender(s))
}

// A ChunkReceiver receives bytes as items, in pieces as they come.
// [ToObjectReceiver] makes it.
//
// Items are never empty, have at most 64 KiB and belong to the caller. A
// canceled Receive has taken nothing. One goroutine may receive at a time.
type ChunkReceiver struct {
	half[ByteReceiver]
}

var _ ObjectReceiver[[]byte] = (*ChunkReceiver)(nil)

// ToObjectReceiver makes items of the bytes that r receives, and owns r. It
// panics when r is nil.
func ToObjectReceiver(r ByteReceiver) *ChunkReceiver {
	need(r, "ToObjectReceiver: nil r")
	a := new(ChunkReceiver)
	a.inner = r
	return a
}

// Receive returns what one Receive of the byte stream gives, in memory of its
// own.
func (r *ChunkReceiver) Receive(ctx context.Context) ([]byte, error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	if err := WaitReceive(ctx, r.inner); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	buf := borrowBuffer(false)
	defer returnBuffer(buf)
	n, err := r.inner.Receive(ctx, *buf)
	if err != nil {
		return nil, err
	}
	return bytes.Clone((*buf)[:n]), nil
}

// A ChunkSender sends the bytes of items. [ToObjectSender] makes it.
//
// An error of Send means that nothing of the item was sent, unless it is a
// [*PartialSendError], which a Send canceled in the middle of an item returns.
// The items are free for other use once Send returned. One goroutine may send
// at a time.
type ChunkSender struct {
	half[ByteSender]
	rest []byte // of an item that counts as sent; nil when there is none
}

var _ ObjectSender[[]byte] = (*ChunkSender)(nil)

// ToObjectSender makes a stream of items whose bytes s sends, and owns s. It
// panics when s is nil.
func ToObjectSender(s ByteSender) *ChunkSender {
	need(s, "ToObjectSender: nil s")
	a := new(ChunkSender)
	a.inner = s
	return a
}

// Send sends the bytes of item, which may be none.
func (s *ChunkSender) Send(ctx context.Context, item []byte) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	if err := s.flush(ctx); err != nil {
		return err
	}
	n, err := s.inner.Send(ctx, item)
	if err == nil || n == 0 {
		return err
	}
	s.rest = append([]byte{}, item[n:]...)
	return &PartialSendError{Left: len(s.rest), Err: err}
}

// Flush sends what a Send that was cut short has left. There is no need for
// it when another Send or a SendEOF follows. A canceled Flush is resumed by
// the next call.
func (s *ChunkSender) Flush(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	return s.flush(ctx)
}

// flush also flushes the byte stream, where that encodes: after n == len(p)
// with an error its own tail waits for the next Send, and nothing is left here.
func (s *ChunkSender) flush(ctx context.Context) error {
	if s.rest == nil {
		return nil
	}
	n, err := s.inner.Send(ctx, s.rest)
	s.rest = s.rest[n:]
	if err == nil {
		s.rest = nil
	}
	return err
}

// SendEOF is the byte stream's SendEOF where that has one, else its Close,
// behind what a Send that was cut short has left.
func (s *ChunkSender) SendEOF(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	if err := s.flush(ctx); err != nil {
		return err
	}
	return endSending(ctx, s.inner)
}
