package stream_test

import (
	"context"
	"testing"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

func TestStapledHoldsTheContract(t *testing.T) {
	pipe := func(context.Context) (a, b stream.ByteStream, err error) {
		x, y := memory.Pipe(nil)
		return stream.Staple(x, x), y, nil
	}
	streamtest.TestByteStream(t, &streamtest.Maker{Pipe: pipe, Bubble: true})
}

func TestWrapperHoldsTheContract(t *testing.T) {
	pipe := func(context.Context) (a, b stream.ByteStream, err error) {
		x, y := memory.Pipe(nil)
		return stream.Wrapper{ByteStream: x}, y, nil
	}
	streamtest.TestByteStream(t, &streamtest.Maker{Pipe: pipe, Bubble: true})
}

func TestBytesOverObjectsHoldTheContract(t *testing.T) {
	pipe := func(context.Context) (a, b stream.ByteStream, err error) {
		x, y := memory.Pipe(nil)
		return stream.FromObjects(stream.ToObjects(x)), y, nil
	}
	streamtest.TestByteStream(t, &streamtest.Maker{Pipe: pipe, Bubble: true})
}

func TestBytesOverMemoryObjectsHoldTheContract(t *testing.T) {
	pipe := func(context.Context) (a, b stream.ByteStream, err error) {
		x, y := memory.ObjectPipe[[]byte](4)
		return stream.FromObjects(x), stream.FromObjects(y), nil
	}
	streamtest.TestByteStream(t, &streamtest.Maker{Pipe: pipe, Bubble: true, NoAbort: true})
}
