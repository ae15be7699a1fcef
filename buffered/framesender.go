package buffered

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// A FrameSender sends items over a byte stream, one frame each.
//
// Each frame is one Send of the byte stream; the item is not kept, and may be
// used again when Send returned. An error of Send means that the item was not
// sent, and nothing of it, unless it is a *[stream.PartialSendError], which a Send
// canceled in the middle of a frame returns. So frames are never torn: the
// peer gets each whole, or none of it.
//
// One goroutine may send at a time, another gets stream.ErrBusy.
type FrameSender[T any] struct {
	frames  *stream.ChunkSender
	codec   Encoder[T]
	sending structured.Guard
	closed  atomic.Bool

	// Of whoever is sending:
	ended bool
	size  int // of a recent frame, for the next buffer
}

var _ stream.ObjectSender[[]byte] = (*FrameSender[[]byte])(nil)

// NewFrameSender takes over s: Close closes it. It panics when s or codec is
// nil.
func NewFrameSender[T any](s stream.ByteSender, codec Encoder[T]) *FrameSender[T] {
	if s == nil {
		panic("buffered: NewFrameSender: nil s")
	}
	if codec == nil {
		panic("buffered: NewFrameSender: nil codec")
	}
	return &FrameSender[T]{frames: stream.ToObjectSender(s), codec: codec}
}

// Send sends item. An error of the codec is returned as it is.
func (f *FrameSender[T]) Send(ctx context.Context, item T) error {
	if err := f.enter(ctx); err != nil {
		return err
	}
	defer f.sending.Leave()
	if f.ended {
		return net.ErrClosed
	}
	mem := borrow(f.size)
	defer giveBack(mem)
	frame, err := f.codec.Append((*mem)[:0], item)
	if err != nil {
		return err
	}
	f.size = min(len(frame), largestPooled)
	return f.frames.Send(ctx, frame)
}

// Flush sends what a Send that was cut short has left. There is no need for
// it when another Send or a SendEOF follows. A canceled Flush is resumed by
// the next call.
func (f *FrameSender[T]) Flush(ctx context.Context) error {
	if err := f.enter(ctx); err != nil {
		return err
	}
	defer f.sending.Leave()
	return f.frames.Flush(ctx)
}

// SendEOF ends the sending direction behind the last frame: by the byte
// stream's own SendEOF, or, where that only sends, by its Close.
func (f *FrameSender[T]) SendEOF(ctx context.Context) error {
	if err := f.enter(ctx); err != nil {
		return err
	}
	defer f.sending.Leave()
	err := f.frames.SendEOF(ctx)
	f.ended = f.ended || err == nil
	return err
}

// Attributes are those of the byte stream.
func (f *FrameSender[T]) Attributes() *attr.Set { return f.frames.Attributes() }

// Close closes the byte stream. What a Send that was cut short has left is
// lost, and with it that frame.
func (f *FrameSender[T]) Close() error {
	f.closed.Store(true)
	return f.frames.Close()
}

// Abort ends the byte stream as stream.Abort does.
func (f *FrameSender[T]) Abort(cause error) error {
	f.closed.Store(true)
	return f.frames.Abort(cause)
}

func (f *FrameSender[T]) enter(ctx context.Context) error {
	return stream.Enter(ctx, &f.sending, &f.closed)
}
