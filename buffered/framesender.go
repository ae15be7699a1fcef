package buffered

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync/atomic"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// A PartlySentError reports that a Send was cut short when some of its frame
// had gone out already, by a cancellation for example. The frame counts as
// sent: what is left of it goes first with the next Send, Flush or SendEOF.
// Whoever sends the item again, sends it twice.
type PartlySentError struct {
	Left int // bytes that have not gone out
	Err  error
}

func (e *PartlySentError) Error() string {
	return fmt.Sprintf("buffered: %d bytes of the frame are not yet sent: %v", e.Left, e.Err)
}

// Unwrap returns what cut the Send short.
func (e *PartlySentError) Unwrap() error { return e.Err }

// A FrameSender sends items over a byte stream, one frame each.
//
// Each frame is one Send of the byte stream; the item is not kept, and may be
// used again when Send returned. An error of Send means that the item was not
// sent, and nothing of it, unless it is a *[PartlySentError], which a Send
// canceled in the middle of a frame returns. So frames are never torn: the
// peer gets each whole, or none of it.
//
// One goroutine may send at a time, another gets stream.ErrBusy.
type FrameSender[T any] struct {
	s       stream.ByteSender
	codec   Encoder[T]
	sending structured.Guard
	closed  atomic.Bool

	// Of whoever is sending:
	rest  []byte // of a frame that counts as sent
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
	return &FrameSender[T]{s: s, codec: codec}
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
	if err := f.flush(ctx); err != nil {
		return err
	}
	return f.sendFrame(ctx, frame)
}

// sendFrame keeps what is left of a frame of which some has gone out.
func (f *FrameSender[T]) sendFrame(ctx context.Context, frame []byte) error {
	n, err := f.s.Send(ctx, frame)
	if err == nil || n == 0 {
		return err
	}
	f.rest = bytes.Clone(frame[n:])
	return &PartlySentError{Left: len(f.rest), Err: err}
}

// Flush sends what a Send that was cut short has left. There is no need for
// it when another Send or a SendEOF follows. A canceled Flush is resumed by
// the next call.
func (f *FrameSender[T]) Flush(ctx context.Context) error {
	if err := f.enter(ctx); err != nil {
		return err
	}
	defer f.sending.Leave()
	return f.flush(ctx)
}

// flush also flushes the byte stream, where that encodes: after n == len(p)
// with an error its own tail waits for the next Send, and nothing is left here.
func (f *FrameSender[T]) flush(ctx context.Context) error {
	if f.rest == nil {
		return nil
	}
	n, err := f.s.Send(ctx, f.rest)
	f.rest = f.rest[n:]
	if err != nil {
		return err
	}
	f.rest = nil
	return nil
}

// SendEOF ends the sending direction behind the last frame: by the byte
// stream's own SendEOF, or, where that only sends, by its Close.
func (f *FrameSender[T]) SendEOF(ctx context.Context) error {
	if err := f.enter(ctx); err != nil {
		return err
	}
	defer f.sending.Leave()
	if err := f.flush(ctx); err != nil {
		return err
	}
	err := endSending(ctx, f.s)
	f.ended = f.ended || err == nil
	return err
}

// Attributes are those of the byte stream.
func (f *FrameSender[T]) Attributes() *attr.Set { return f.s.Attributes() }

// Close closes the byte stream. What a Send that was cut short has left is
// lost, and with it that frame.
func (f *FrameSender[T]) Close() error {
	f.closed.Store(true)
	return f.s.Close()
}

// Abort ends the byte stream as stream.Abort does.
func (f *FrameSender[T]) Abort(cause error) error {
	f.closed.Store(true)
	return stream.Abort(f.s, cause)
}

func (f *FrameSender[T]) enter(ctx context.Context) error {
	return enter(ctx, &f.sending, &f.closed)
}
