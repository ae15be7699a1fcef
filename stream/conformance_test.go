package stream_test

import (
	"context"
	"encoding/binary"
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
	streamtest.TestByteStream(t, &streamtest.Maker{Pipe: pipe, Bubble: true, Encodes: true})
}

// Streams of items have no way to abort: their peer sees a clean end.
func TestBytesOverItemsInMemoryHoldTheContract(t *testing.T) {
	pipe := func(context.Context) (a, b stream.ByteStream, err error) {
		x, y := memory.ObjectPipe[[]byte](4)
		return stream.FromObjects(x), stream.FromObjects(y), nil
	}
	streamtest.TestByteStream(t, &streamtest.Maker{Pipe: pipe, Bubble: true, NoAbort: true})
}

func TestOneWayAdaptersHoldTheContract(t *testing.T) {
	pipe := func(context.Context) (stream.ByteSender, stream.ByteReceiver, error) {
		s, r := memory.New[[]byte](4)
		return stream.FromObjectSender(s), stream.FromObjectReceiver(r), nil
	}
	streamtest.TestOneWay(t, &streamtest.OneWayMaker{Pipe: pipe, Bubble: true})
}

// words receives four bytes at a time.
type words struct{ stream.Wrapper }

func (w words) Receive(ctx context.Context, p []byte) (int, error) {
	return w.Wrapper.Receive(ctx, p[:min(4, len(p))])
}

// A byte stream keeps no boundaries between items. Those of four bytes have
// them where nothing is sent or received but four bytes at a time.
func TestItemsOverBytesHoldTheContract(t *testing.T) {
	pipe := func(context.Context) (a, b stream.ObjectStream[[]byte], err error) {
		x, y := memory.Pipe(&memory.Config{Buffer: 64})
		return stream.ToObjects(words{stream.Wrapper{ByteStream: x}}),
			stream.ToObjects(words{stream.Wrapper{ByteStream: y}}), nil
	}
	streamtest.TestObjectStream(t, &streamtest.ObjectMaker[[]byte]{
		Pipe: pipe,
		Items: streamtest.Items[[]byte]{
			Item:   func(i int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(i)) },
			Number: wordNumber,
			Bubble: true,
		},
	})
}

func wordNumber(item []byte) int {
	if len(item) != 4 {
		return -1
	}
	return int(binary.BigEndian.Uint32(item))
}

func TestStapledObjectsHoldTheContract(t *testing.T) {
	pipe := func(context.Context) (a, b stream.ObjectStream[int], err error) {
		fromA, toB := memory.New[int](2)
		fromB, toA := memory.New[int](2)
		return stream.StapleObjects(toA, fromA), stream.StapleObjects(toB, fromB), nil
	}
	streamtest.TestObjectStream(t, &streamtest.ObjectMaker[int]{
		Pipe: pipe,
		Items: streamtest.Items[int]{
			Item:   func(i int) int { return i },
			Number: func(item int) int { return item },
			Shared: true,
			Bubble: true,
		},
	})
}
