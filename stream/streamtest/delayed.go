package streamtest

import (
	"context"
	"net"
	"time"

	"github.com/strata-go/strata/stream"
)

// A Delayed waits before each Receive and each Send, as a slow network does.
// The wait ends early when the context is done or the stream is closed. In a
// bubble of testing/synctest it takes no real time.
//
// It holds the contract where the stream below does: a call that is canceled
// while it is delayed has had no effect.
type Delayed struct {
	hostile
	delay time.Duration
}

var _ stream.ByteStream = (*Delayed)(nil)

// NewDelayed takes over s: Close closes it. It panics when s is nil or delay
// is negative.
func NewDelayed(s stream.ByteStream, delay time.Duration) *Delayed {
	if s == nil {
		panic("streamtest: NewDelayed: nil s")
	}
	if delay < 0 {
		panic("streamtest: NewDelayed: negative delay")
	}
	d := &Delayed{delay: delay}
	d.init(s)
	return d
}

// Receive waits for the delay, and then receives.
func (d *Delayed) Receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	if err := d.enter(ctx, &d.receiving); err != nil {
		return 0, err
	}
	defer d.receiving.Leave()
	if err := d.pause(ctx); err != nil {
		return 0, err
	}
	return d.ByteStream.Receive(ctx, p)
}

// Send waits for the delay, and then sends.
func (d *Delayed) Send(ctx context.Context, p []byte) (int, error) {
	if err := d.enter(ctx, &d.sending); err != nil {
		return 0, err
	}
	defer d.sending.Leave()
	if err := d.pause(ctx); err != nil {
		return 0, err
	}
	return d.ByteStream.Send(ctx, p)
}

func (d *Delayed) pause(ctx context.Context) error {
	timer := time.NewTimer(d.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return stream.ContextError(ctx)
	case <-d.gone:
		return net.ErrClosed
	}
}
