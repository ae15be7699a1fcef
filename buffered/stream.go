package buffered

import (
	"context"
	"errors"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

var streamFacts = attr.Define(attr.From(stream.Unread, (*Stream).unread))

// A Stream is a byte stream that may read ahead. Its receiving methods are
// those of the [Receiver] in it, which is also what a [Decoder] takes; the
// others go to the wrapped stream. One goroutine may receive while another
// sends.
type Stream struct {
	Receiver
	s       stream.ByteStream
	sending structured.Guard
}

var (
	_ stream.ByteStream    = (*Stream)(nil)
	_ stream.ReceiveWaiter = (*Stream)(nil)
	_ stream.BuffersSender = (*Stream)(nil)
	_ stream.TrySender     = (*Stream)(nil)
	_ stream.Shutdowner    = (*Stream)(nil)
	_ stream.Aborter       = (*Stream)(nil)
)

// New takes over s: Close closes it. It panics when s is nil.
func New(s stream.ByteStream, cfg *Config) *Stream {
	if s == nil {
		panic("buffered: New: nil s")
	}
	b := &Stream{s: s}
	b.init(s, cfg)
	streamFacts.Init(&b.attributes, b, s)
	return b
}

// Send is the wrapped stream's.
func (b *Stream) Send(ctx context.Context, p []byte) (int, error) {
	if err := b.enterSend(ctx); err != nil {
		return 0, err
	}
	defer b.sending.Leave()
	return b.s.Send(ctx, p)
}

// SendBuffers is the wrapped stream's, see stream.SendBuffers.
func (b *Stream) SendBuffers(ctx context.Context, bufs [][]byte) (int64, error) {
	if err := b.enterSend(ctx); err != nil {
		return 0, err
	}
	defer b.sending.Leave()
	return stream.SendBuffers(ctx, b.s, bufs)
}

// TrySend is the wrapped stream's, see stream.TrySend.
func (b *Stream) TrySend(p []byte) (int, error) {
	if err := b.enterSend(context.Background()); err != nil {
		return 0, err
	}
	defer b.sending.Leave()
	return stream.TrySend(b.s, p)
}

// SendEOF is the wrapped stream's.
func (b *Stream) SendEOF(ctx context.Context) error {
	if err := b.enterSend(ctx); err != nil {
		return err
	}
	defer b.sending.Leave()
	return b.s.SendEOF(ctx)
}

// Shutdown ends the wrapped stream as stream.Shutdown does: the stream is
// closed afterwards, also when the error is not nil. What the buffer holds is
// lost.
func (b *Stream) Shutdown(ctx context.Context) error {
	err := b.enterSend(ctx)
	if err == nil {
		err = stream.Shutdown(ctx, b.s)
		b.sending.Leave()
	}
	return errors.Join(err, b.Close())
}

// Detach ends the Stream without closing what it wraps, and returns that
// together with the bytes that were read ahead and nobody received: both now
// belong to the caller. The Stream is closed from then on: whoever still holds
// it can neither receive nor send. While a call is in progress in either
// direction Detach does nothing and returns stream.ErrBusy.
func (b *Stream) Detach() (inner stream.ByteStream, leftover []byte, err error) {
	if err := b.enterSend(context.Background()); err != nil {
		return nil, nil, err
	}
	defer b.sending.Leave()
	_, leftover, err = b.Receiver.Detach()
	if err != nil {
		return nil, nil, err
	}
	return b.s, leftover, nil
}

func (b *Stream) enterSend(ctx context.Context) error {
	return stream.Enter(ctx, &b.sending, &b.closed)
}
