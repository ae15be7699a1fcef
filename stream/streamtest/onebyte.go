package streamtest

import (
	"context"

	"github.com/strata-go/strata/stream"
)

// A OneByte carries one byte at a time: Receive returns one byte, whatever
// the buffer, and Send sends each byte by itself. Code that takes what one
// Receive returns for a whole message fails on it.
//
// It holds the contract where the stream below does, and leaves behind what
// that leaves: a canceled Send is resumed with p[n:].
type OneByte struct{ hostile }

var _ stream.ByteStream = (*OneByte)(nil)

// NewOneByte takes over s: Close closes it. It panics when s is nil.
func NewOneByte(s stream.ByteStream) *OneByte {
	if s == nil {
		panic("streamtest: NewOneByte: nil s")
	}
	o := new(OneByte)
	o.init(s)
	return o
}

// Receive receives one byte.
func (o *OneByte) Receive(ctx context.Context, p []byte) (int, error) {
	return o.receive(ctx, p[:min(1, len(p))])
}

// Send sends p byte by byte.
func (o *OneByte) Send(ctx context.Context, p []byte) (int, error) {
	return o.send(ctx, p, func() int { return 1 })
}
