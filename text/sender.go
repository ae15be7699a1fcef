package text

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// A Sender sends text. One goroutine may send at a time, another gets
// stream.ErrBusy.
type Sender struct {
	w       *buffered.FrameSender[piece]
	encoder *encoder
	sending structured.Guard
	closed  atomic.Bool
	ended   bool // the encoder's last words are sent
}

var (
	_ stream.ObjectSender[string] = (*Sender)(nil)
	_ stream.Aborter              = (*Sender)(nil)
)

// NewSender takes over s: Close closes it. It panics when s is nil.
func NewSender(s stream.ByteSender, cfg *Config) *Sender {
	if s == nil {
		panic("text: NewSender: nil s")
	}
	e := newEncoder(cfg.orDefault())
	return &Sender{w: buffered.NewFrameSender(s, e), encoder: e}
}

// Attributes are those of the byte stream.
func (t *Sender) Attributes() *attr.Set { return t.w.Attributes() }

// Send sends s as one Send of the byte stream. After an error nothing of s was
// sent, also if that is an *[EncodeError] for a character far behind; but
// after a *stream.PartialSendError s counts as sent, and its rest goes first
// with the next Send, Flush or SendEOF. Send of an empty string only flushes.
func (t *Sender) Send(ctx context.Context, s string) error {
	if err := stream.Enter(ctx, &t.sending, &t.closed); err != nil {
		return err
	}
	defer t.sending.Leave()
	return t.send(ctx, piece{text: s})
}

func (t *Sender) send(ctx context.Context, p piece) error {
	err := t.w.Send(ctx, p)
	_, partly := errors.AsType[*stream.PartialSendError](err)
	sent := err == nil || partly
	t.encoder.settle(sent)
	if sent {
		t.ended = p.end || t.ended && p.text == ""
	}
	return err
}

// Flush sends what a Send that was cut short has left.
func (t *Sender) Flush(ctx context.Context) error {
	if err := stream.Enter(ctx, &t.sending, &t.closed); err != nil {
		return err
	}
	defer t.sending.Leave()
	return t.w.Flush(ctx)
}

// SendEOF ends the text, by a last shift where the encoding has such, and then
// the sending direction: by the byte stream's own SendEOF, or, where that only
// sends, by its Close.
func (t *Sender) SendEOF(ctx context.Context) error {
	if err := stream.Enter(ctx, &t.sending, &t.closed); err != nil {
		return err
	}
	defer t.sending.Leave()
	if t.encoder.t != nil && t.encoder.started && !t.ended {
		if err := t.send(ctx, piece{end: true}); err != nil {
			return err
		}
	}
	return t.w.SendEOF(ctx)
}

// Close closes the byte stream.
func (t *Sender) Close() error {
	t.closed.Store(true)
	return t.w.Close()
}

// Abort ends the byte stream as stream.Abort does.
func (t *Sender) Abort(cause error) error {
	t.closed.Store(true)
	return t.w.Abort(cause)
}
