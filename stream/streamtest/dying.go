package streamtest

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"github.com/strata-go/strata/stream"
)

// A Dying is a connection that is lost after a number of bytes: both
// directions return the same stream.BrokenError from then on, calls that wait
// too, and the stream below is aborted, so that the peer finds out as well.
//
// Until then it holds the contract where the stream below does, and after
// that what the contract says of broken streams.
type Dying struct {
	hostile
	broken         *stream.BrokenError
	dead           atomic.Bool
	received, sent int // bytes that still pass
}

var _ stream.ByteStream = (*Dying)(nil)

// NewDying takes over s: Close closes it. The connection is lost when a call
// wants to carry more than after bytes in one of the directions, and cause is
// then the cause of its stream.BrokenError. It panics when s is nil or after
// is negative.
func NewDying(s stream.ByteStream, after int, cause error) *Dying {
	if s == nil {
		panic("streamtest: NewDying: nil s")
	}
	if after < 0 {
		panic("streamtest: NewDying: negative after")
	}
	d := &Dying{broken: stream.Broken(cause), received: after, sent: after}
	d.init(s)
	return d
}

// Receive receives the bytes that come before the loss.
func (d *Dying) Receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	if err := d.enter(ctx, &d.receiving); err != nil {
		return 0, err
	}
	defer d.receiving.Leave()
	if d.received == 0 {
		d.die()
	}
	if d.dead.Load() {
		return 0, d.broken
	}
	n, err := d.ByteStream.Receive(ctx, p[:min(len(p), d.received)])
	d.received -= n
	return n, d.translate(err)
}

// WaitReceive waits, but not on a connection that is lost.
func (d *Dying) WaitReceive(ctx context.Context) error {
	if err := d.enter(ctx, &d.receiving); err != nil {
		return err
	}
	defer d.receiving.Leave()
	if d.received == 0 || d.dead.Load() {
		return nil
	}
	if err := d.translate(d.Wrapper.WaitReceive(ctx)); err != d.broken {
		return err
	}
	return nil
}

// Send sends the bytes that leave before the loss.
func (d *Dying) Send(ctx context.Context, p []byte) (int, error) {
	if err := d.enter(ctx, &d.sending); err != nil {
		return 0, err
	}
	defer d.sending.Leave()
	if d.dead.Load() {
		return 0, d.broken
	}
	n, err := d.ByteStream.Send(ctx, p[:min(len(p), d.sent)])
	d.sent -= n
	if err == nil && n < len(p) {
		d.die()
		return n, d.broken
	}
	return n, d.translate(err)
}

// SendEOF ends the sending direction of a connection that is not lost.
func (d *Dying) SendEOF(ctx context.Context) error {
	if err := d.enter(ctx, &d.sending); err != nil {
		return err
	}
	defer d.sending.Leave()
	if d.dead.Load() {
		return d.broken
	}
	return d.translate(d.ByteStream.SendEOF(ctx))
}

// die loses the connection.
func (d *Dying) die() {
	if d.dead.CompareAndSwap(false, true) {
		stream.Abort(d.ByteStream, d.broken.Cause) // nothing more can go wrong
	}
}

// translate tells calls below that the loss ended from those that Close did.
func (d *Dying) translate(err error) error {
	if !d.dead.Load() || !errors.Is(err, net.ErrClosed) || d.closed.Load() {
		return err
	}
	return d.broken
}
