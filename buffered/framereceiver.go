package buffered

import (
	"context"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// A FrameReceiver receives the items of a byte stream, one frame each.
//
// Items belong to the caller. A canceled Receive has taken nothing: what came
// of the frame stays in the buffer, and is counted by stream.Unread. The error
// is io.EOF when the stream ended behind a frame and io.ErrUnexpectedEOF when
// it ended in one. Bytes that the codec refuses stay where they are, so that
// the error is the same from then on; sending is not affected.
//
// One goroutine may receive at a time, another gets stream.ErrBusy.
type FrameReceiver[T any] struct {
	r         *Receiver
	codec     Decoder[T]
	receiving structured.Guard
}

var _ stream.ObjectReceiver[[]byte] = (*FrameReceiver[[]byte])(nil)

// NewFrameReceiver takes over r: Close closes it. What r has read ahead is
// received first. NewFrameReceiver panics when r or codec is nil.
func NewFrameReceiver[T any](r *Receiver, codec Decoder[T]) *FrameReceiver[T] {
	if r == nil {
		panic("buffered: NewFrameReceiver: nil r")
	}
	if codec == nil {
		panic("buffered: NewFrameReceiver: nil codec")
	}
	return &FrameReceiver[T]{r: r, codec: codec}
}

// Receive waits for a whole frame and returns what it carries.
func (f *FrameReceiver[T]) Receive(ctx context.Context) (T, error) {
	var none T
	if err := stream.Enter(ctx, &f.receiving, &f.r.closed); err != nil {
		return none, err
	}
	defer f.receiving.Leave()
	item, err := f.codec.Receive(ctx, f.r)
	if err != nil {
		return none, err
	}
	return item, nil
}

// Attributes are those of the byte stream.
func (f *FrameReceiver[T]) Attributes() *attr.Set { return f.r.Attributes() }

// Close closes the byte stream.
func (f *FrameReceiver[T]) Close() error { return f.r.Close() }

// Abort ends the byte stream as stream.Abort does.
func (f *FrameReceiver[T]) Abort(cause error) error { return f.r.Abort(cause) }
