package stream

import (
	"bytes"
	"context"
	"fmt"
	"io"
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
	var item []byte
	end, err := receivePiece(ctx, r.inner, func(p []byte) error {
		item = bytes.Clone(p)
		return nil
	})
	if end {
		return nil, io.EOF
	}
	return item, err
}

// A ChunkSender sends the bytes of items. [ToObjectSender] makes it.
//
// A canceled Send may have sent the beginning of its item, which the error
// then tells: see [PartialSendError]. The items are free for other use once
// Send returned. One goroutine may send at a time.
type ChunkSender struct {
	half[ByteSender]
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

// Send sends the bytes of item, which may be none. Where it fails after part
// of them, the error is a [*PartialSendError].
func (s *ChunkSender) Send(ctx context.Context, item []byte) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	n, err := s.inner.Send(ctx, item)
	if err != nil && n > 0 {
		return &PartialSendError{Sent: n, Err: err}
	}
	return err
}

// SendEOF is the byte stream's SendEOF where that has one, else its Close.
func (s *ChunkSender) SendEOF(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	return endSending(ctx, s.inner)
}

// A PartialSendError reports that [ChunkSender.Send] failed after the byte
// stream had taken a part of the item. Nothing is lost when the next item is
// item[Sent:], also if that is empty.
type PartialSendError struct {
	Sent int   // bytes of the item, at least 1
	Err  error // why not all
}

func (e *PartialSendError) Error() string {
	return fmt.Sprintf("stream: only %d bytes of the item sent: %v", e.Sent, e.Err)
}

// Unwrap returns why the rest was not sent.
func (e *PartialSendError) Unwrap() error { return e.Err }
