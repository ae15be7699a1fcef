package text

import (
	"context"
	"errors"
	"iter"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// A Stream sends and receives text. One goroutine may receive while another
// sends. Its directions are a [Receiver] and a [Sender].
type Stream struct {
	r *Receiver
	w *Sender
}

var (
	_ stream.ObjectStream[string] = (*Stream)(nil)
	_ stream.Aborter              = (*Stream)(nil)
)

// New takes over s: Close closes it. It panics when s is nil.
func New(s stream.ByteStream, cfg *Config) *Stream {
	if s == nil {
		panic("text: New: nil s")
	}
	return &Stream{r: NewReceiver(s, cfg), w: NewSender(s, cfg)}
}

// Attributes are those of the byte stream, under stream.Unread for what was
// received and not taken.
func (t *Stream) Attributes() *attr.Set { return t.r.Attributes() }

// Receive is that of [Receiver].
func (t *Stream) Receive(ctx context.Context) (string, error) { return t.r.Receive(ctx) }

// Lines is that of [Receiver].
func (t *Stream) Lines(ctx context.Context, max int) iter.Seq2[string, error] {
	return t.r.Lines(ctx, max)
}

// Send is that of [Sender].
func (t *Stream) Send(ctx context.Context, s string) error { return t.w.Send(ctx, s) }

// Flush is that of [Sender].
func (t *Stream) Flush(ctx context.Context) error { return t.w.Flush(ctx) }

// SendEOF is that of [Sender]. Receiving goes on.
func (t *Stream) SendEOF(ctx context.Context) error { return t.w.SendEOF(ctx) }

// Close closes the byte stream. What was received and not taken is lost, and
// so is what a Send that was cut short has left.
func (t *Stream) Close() error { return errors.Join(t.w.Close(), t.r.Close()) }

// Abort ends the byte stream as stream.Abort does.
func (t *Stream) Abort(cause error) error {
	return errors.Join(t.w.Abort(cause), t.r.Abort(cause))
}
