package buffered_test

import (
	"context"
	"testing"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

func TestStreamHoldsTheContract(t *testing.T) {
	for _, tt := range []struct {
		name string
		wrap func(stream.ByteStream) stream.ByteStream
	}{
		{"over a pipe", func(s stream.ByteStream) stream.ByteStream { return buffered.New(s, nil) }},
		{"twice", func(s stream.ByteStream) stream.ByteStream {
			return buffered.New(buffered.New(s, nil), &buffered.Config{ReadAhead: -1})
		}},
		{"received through its buffer", func(s stream.ByteStream) stream.ByteStream {
			return &peeking{buffered.New(s, nil)}
		}},
	} {
		m := &streamtest.Maker{
			Bubble: true,
			Pipe: func(context.Context) (a, b stream.ByteStream, err error) {
				x, y := memory.Pipe(&memory.Config{Buffer: 4096})
				return tt.wrap(x), tt.wrap(y), nil
			},
		}
		t.Run(tt.name, func(t *testing.T) { streamtest.TestByteStream(t, m) })
	}
}

// peeking receives through the buffer of a Stream, where New alone would pass
// Receive on.
type peeking struct{ *buffered.Stream }

func (p *peeking) Attributes() *attr.Set { return p.Stream.Attributes() }

func (p *peeking) Receive(ctx context.Context, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	if _, err := p.Peek(ctx, 1); err != nil {
		return 0, err
	}
	return p.Stream.Receive(ctx, b)
}
