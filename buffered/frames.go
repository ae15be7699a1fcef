package buffered

import (
	"context"
	"errors"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// Frames is a stream of items over a byte stream. Its directions are a
// [FrameReceiver] and a [FrameSender], which say what a cancellation leaves
// behind. One goroutine may receive while another sends.
type Frames[T any] struct {
	s *Stream
	r *FrameReceiver[T]
	w *FrameSender[T]
}

var (
	_ stream.ObjectStream[[]byte] = (*Frames[[]byte])(nil)
	_ stream.Aborter              = (*Frames[[]byte])(nil)
)

// NewFrames takes over s: Close closes it. What s has read ahead is received
// first. NewFrames panics when s or codec is nil.
func NewFrames[T any](s *Stream, codec Codec[T]) *Frames[T] {
	if s == nil {
		panic("buffered: NewFrames: nil s")
	}
	if codec == nil {
		panic("buffered: NewFrames: nil codec")
	}
	return &Frames[T]{
		s: s,
		r: NewFrameReceiver(&s.Receiver, codec),
		w: NewFrameSender(s, codec),
	}
}

// Receive is that of [FrameReceiver].
func (f *Frames[T]) Receive(ctx context.Context) (T, error) { return f.r.Receive(ctx) }

// Send is that of [FrameSender].
func (f *Frames[T]) Send(ctx context.Context, item T) error { return f.w.Send(ctx, item) }

// Flush is that of [FrameSender].
func (f *Frames[T]) Flush(ctx context.Context) error { return f.w.Flush(ctx) }

// SendEOF ends the sending direction behind the last frame. Receiving goes
// on.
func (f *Frames[T]) SendEOF(ctx context.Context) error { return f.w.SendEOF(ctx) }

// Attributes are those of the byte stream.
func (f *Frames[T]) Attributes() *attr.Set { return f.s.Attributes() }

// Close closes the byte stream. What was received and not taken is lost, and
// so is what a Send that was cut short has left.
func (f *Frames[T]) Close() error { return errors.Join(f.w.Close(), f.r.Close()) }

// Abort ends the byte stream as stream.Abort does.
func (f *Frames[T]) Abort(cause error) error {
	return errors.Join(f.w.Abort(cause), f.r.Abort(cause))
}
