package streamtest_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pipeOf(size int) func(context.Context) (a, b stream.ByteStream, err error) {
	return func(context.Context) (stream.ByteStream, stream.ByteStream, error) {
		a, b := newPipe(size)
		return a, b, nil
	}
}

// clogged returns a pipe that is full from a to b.
func clogged(ctx context.Context) (stream.ByteStream, stream.ByteStream, error) {
	a, b := newPipe(64 << 10)
	_, err := a.Send(ctx, make([]byte, 64<<10))
	return a, b, err
}

func TestReferencePipeHoldsTheContract(t *testing.T) {
	streamtest.TestByteStream(t, &streamtest.Maker{Pipe: pipeOf(64 << 10), Clogged: clogged})
}

func TestReferencePipeHoldsTheContractInABubble(t *testing.T) {
	streamtest.TestByteStream(t, &streamtest.Maker{Pipe: pipeOf(64 << 10), Holds: 64 << 10, Bubble: true})
}

func TestNarrowPipeHoldsTheContract(t *testing.T) {
	streamtest.TestByteStream(t, &streamtest.Maker{Pipe: pipeOf(4 << 10), Holds: 4 << 10})
}
