package streamtest

import (
	"context"
	"sync/atomic"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// hostile is what the hostile wrappers have in common. They make several
// calls below of one, or wait before it, so they keep the rules of the
// contract about who comes first by themselves.
type hostile struct {
	stream.Wrapper
	receiving, sending structured.Guard
	closed             atomic.Bool
	gone               chan struct{} // closed with it
}

// init takes over s.
func (h *hostile) init(s stream.ByteStream) {
	h.ByteStream, h.gone = s, make(chan struct{})
}

// enter lets one call into a direction, which then has to leave.
func (h *hostile) enter(ctx context.Context, direction *structured.Guard) error {
	return stream.Enter(ctx, direction, &h.closed)
}

// receive is Receive below, as a call of this wrapper.
func (h *hostile) receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	if err := h.enter(ctx, &h.receiving); err != nil {
		return 0, err
	}
	defer h.receiving.Leave()
	return h.ByteStream.Receive(ctx, p)
}

// send sends p in pieces whose sizes next tells.
func (h *hostile) send(ctx context.Context, p []byte, next func() int) (sent int, err error) {
	if err := h.enter(ctx, &h.sending); err != nil {
		return 0, err
	}
	defer h.sending.Leave()
	if len(p) == 0 {
		return h.ByteStream.Send(ctx, p)
	}
	for sent < len(p) && err == nil {
		n, piece := 0, p[sent:min(len(p), sent+next())]
		n, err = h.ByteStream.Send(ctx, piece)
		sent += n
	}
	return sent, err
}

// WaitReceive waits for the stream below.
func (h *hostile) WaitReceive(ctx context.Context) error {
	if err := h.enter(ctx, &h.receiving); err != nil {
		return err
	}
	defer h.receiving.Leave()
	return h.Wrapper.WaitReceive(ctx)
}

// SendEOF ends the sending direction of the stream below.
func (h *hostile) SendEOF(ctx context.Context) error {
	if err := h.enter(ctx, &h.sending); err != nil {
		return err
	}
	defer h.sending.Leave()
	return h.ByteStream.SendEOF(ctx)
}

// Abort aborts the stream below.
func (h *hostile) Abort(cause error) error {
	h.markClosed()
	return stream.Abort(h.ByteStream, cause)
}

// Close closes the stream below.
func (h *hostile) Close() error {
	h.markClosed()
	return h.ByteStream.Close()
}

func (h *hostile) markClosed() {
	if !h.closed.Swap(true) {
		close(h.gone)
	}
}
