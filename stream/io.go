package stream

import (
	"context"
	"io"
)

// A Reader is an io.Reader over a stream, for code that knows no contexts.
// It uses the receiving direction of the stream and follows its rules: one
// Read at a time. It reads nothing ahead.
type Reader struct {
	ctx context.Context // the purpose of the type, as is Writer's
	r   ByteReceiver
}

var _ io.Reader = (*Reader)(nil)

// NewReader returns a Reader whose every Read is a Receive under ctx. It does
// not close r. It panics when r is nil.
func NewReader(ctx context.Context, r ByteReceiver) *Reader {
	need(r, "NewReader: nil r")
	return &Reader{ctx: ctx, r: r}
}

// Read is r.Receive, with its errors; the end is io.EOF. With an empty p it
// returns 0 and nil, as io.Reader asks.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return r.r.Receive(r.ctx, p)
}

// A Writer is an io.Writer over a stream, for code that knows no contexts. It
// uses the sending direction of the stream and follows its rules: one Write
// at a time. It buffers nothing.
type Writer struct {
	ctx context.Context
	s   ByteSender
}

var _ io.Writer = (*Writer)(nil)

// NewWriter returns a Writer whose every Write is a Send under ctx. It does
// not close s. It panics when s is nil.
func NewWriter(ctx context.Context, s ByteSender) *Writer {
	need(s, "NewWriter: nil s")
	return &Writer{ctx: ctx, s: s}
}

// Write is s.Send, with its errors.
func (w *Writer) Write(p []byte) (int, error) { return w.s.Send(w.ctx, p) }
