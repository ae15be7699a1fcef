package memory_test

import (
	"context"
	"testing"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

func TestPipeHoldsTheContract(t *testing.T) {
	for _, tt := range pipes {
		m := &streamtest.Maker{
			Pipe: func(context.Context) (a, b stream.ByteStream, err error) {
				a, b = memory.Pipe(tt.cfg)
				return a, b, nil
			},
		}
		t.Run(tt.name, func(t *testing.T) { streamtest.TestByteStream(t, m) })
		inBubble := *m
		inBubble.Bubble = true
		t.Run(tt.name+" in a bubble", func(t *testing.T) { streamtest.TestByteStream(t, &inBubble) })
	}
}
