package streamtest

import (
	"context"
	"math/rand/v2"

	"github.com/strata-go/strata/stream"
)

// A Chunked cuts what it carries into pieces of random sizes: Receive returns
// less than there is, and Send sends in short pieces, of which a cancellation
// leaves some unsent. The sizes follow from a seed, so that a failure can be
// repeated.
//
// It holds the contract where the stream below does, and leaves behind what
// that leaves: a canceled Send is resumed with p[n:].
type Chunked struct {
	hostile
	limit           int
	receives, sends *rand.Rand // each used by one call at a time
}

var _ stream.ByteStream = (*Chunked)(nil)

// NewChunked takes over s: Close closes it. Pieces have 1 to limit bytes. It
// panics when s is nil or limit is not positive.
func NewChunked(s stream.ByteStream, limit int, seed uint64) *Chunked {
	if s == nil {
		panic("streamtest: NewChunked: nil s")
	}
	if limit < 1 {
		panic("streamtest: NewChunked: limit is not positive")
	}
	c := &Chunked{
		limit:    limit,
		receives: rand.New(rand.NewPCG(seed, 0)),
		sends:    rand.New(rand.NewPCG(seed, 1)),
	}
	c.init(s)
	return c
}

// Receive receives a piece.
func (c *Chunked) Receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	if err := c.enter(ctx, &c.receiving); err != nil {
		return 0, err
	}
	defer c.receiving.Leave()
	return c.ByteStream.Receive(ctx, p[:min(len(p), 1+c.receives.IntN(c.limit))])
}

// Send sends p in pieces.
func (c *Chunked) Send(ctx context.Context, p []byte) (int, error) {
	return c.send(ctx, p, func() int { return 1 + c.sends.IntN(c.limit) })
}
