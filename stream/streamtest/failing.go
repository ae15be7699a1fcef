package streamtest

import (
	"context"

	"github.com/strata-go/strata/stream"
)

// A Failing fails in one direction after a number of bytes, each time from
// then on, with an error as it comes, and goes on in the other. That is what
// streams must not do, and what layers above them have to survive: they make
// of it a stream.BrokenError for both directions.
type Failing struct {
	hostile
	err           error
	receive, send int // bytes that still pass, or negative: any number
}

var _ stream.ByteStream = (*Failing)(nil)

// NewFailingReceive takes over s: Close closes it. Receive returns err once
// it has returned after bytes, of which none is lost. It panics when s or err
// is nil or after is negative.
func NewFailingReceive(s stream.ByteStream, after int, err error) *Failing {
	return newFailing("NewFailingReceive", s, after, err, after, -1)
}

// NewFailingSend takes over s: Close closes it. Send returns err once it has
// sent after bytes; SendEOF does so too, then. It panics when s or err is nil
// or after is negative.
func NewFailingSend(s stream.ByteStream, after int, err error) *Failing {
	return newFailing("NewFailingSend", s, after, err, -1, after)
}

func newFailing(name string, s stream.ByteStream, after int, err error, receive, send int) *Failing {
	switch {
	case s == nil:
		panic("streamtest: " + name + ": nil s")
	case err == nil:
		panic("streamtest: " + name + ": nil err")
	case after < 0:
		panic("streamtest: " + name + ": negative after")
	}
	f := &Failing{err: err, receive: receive, send: send}
	f.init(s)
	return f
}

// Receive receives the bytes before the failure.
func (f *Failing) Receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	if err := f.enter(ctx, &f.receiving); err != nil {
		return 0, err
	}
	defer f.receiving.Leave()
	if f.receive == 0 {
		return 0, f.err
	}
	if f.receive > 0 {
		p = p[:min(len(p), f.receive)]
	}
	n, err := f.ByteStream.Receive(ctx, p)
	if f.receive > 0 {
		f.receive -= n
	}
	return n, err
}

// WaitReceive waits, but not when Receive would fail.
func (f *Failing) WaitReceive(ctx context.Context) error {
	if err := f.enter(ctx, &f.receiving); err != nil {
		return err
	}
	defer f.receiving.Leave()
	if f.receive == 0 {
		return nil
	}
	return f.Wrapper.WaitReceive(ctx)
}

// Send sends the bytes before the failure.
func (f *Failing) Send(ctx context.Context, p []byte) (int, error) {
	if err := f.enter(ctx, &f.sending); err != nil {
		return 0, err
	}
	defer f.sending.Leave()
	if f.send < 0 {
		return f.ByteStream.Send(ctx, p)
	}
	if f.send == 0 {
		return 0, f.err
	}
	n, err := f.ByteStream.Send(ctx, p[:min(len(p), f.send)])
	f.send -= n
	if err == nil && n < len(p) {
		err = f.err
	}
	return n, err
}

// SendEOF ends the sending direction, unless that failed.
func (f *Failing) SendEOF(ctx context.Context) error {
	if err := f.enter(ctx, &f.sending); err != nil {
		return err
	}
	defer f.sending.Leave()
	if f.send == 0 {
		return f.err
	}
	return f.ByteStream.SendEOF(ctx)
}
