package streamtest_test

import (
	"context"
	"testing"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

// numbers are the items of the streams here: each is its own number, and the
// first is the zero value.
func numbers(shared, bubble bool) streamtest.Items[int] {
	itself := func(i int) int { return i }
	return streamtest.Items[int]{Item: itself, Number: itself, Shared: shared, Bubble: bubble}
}

func objectPipe(size int) func(context.Context) (a, b stream.ObjectStream[int], err error) {
	return func(context.Context) (stream.ObjectStream[int], stream.ObjectStream[int], error) {
		a, b := memory.ObjectPipe[int](size)
		return a, b, nil
	}
}

func objectOneWay(size int) func(context.Context) (stream.ObjectSender[int], stream.ObjectReceiver[int], error) {
	return func(context.Context) (stream.ObjectSender[int], stream.ObjectReceiver[int], error) {
		s, r := memory.New[int](size)
		return s, r, nil
	}
}

func TestMemoryObjectStreamsHoldTheContract(t *testing.T) {
	for _, bubble := range []bool{false, true} {
		for _, size := range []int{0, 1, 10} {
			streamtest.TestObjectStream(t, &streamtest.ObjectMaker[int]{Items: numbers(true, bubble), Pipe: objectPipe(size)})
			streamtest.TestObjectOneWay(t, &streamtest.ObjectOneWayMaker[int]{Items: numbers(true, bubble), Pipe: objectOneWay(size)})
		}
	}
}

func TestExclusiveObjectStreamsHoldTheContract(t *testing.T) {
	streamtest.TestObjectStream(t, &streamtest.ObjectMaker[int]{Items: numbers(false, true), Pipe: exclusivePipe()})
	streamtest.TestObjectOneWay(t, &streamtest.ObjectOneWayMaker[int]{Items: numbers(false, true),
		Pipe: func(ctx context.Context) (stream.ObjectSender[int], stream.ObjectReceiver[int], error) {
			return exclusivePipe()(ctx)
		}})
}

func TestPacketStreamsHoldTheContract(t *testing.T) {
	for _, bubble := range []bool{false, true} {
		streamtest.TestPacketStream(t, packetMaker(bubble))
	}
}

func listen(context.Context) (stream.Listener[*memory.Conn], func(context.Context) (stream.ByteStream, error), error) {
	ln := memory.Listen(nil)
	return ln, func(ctx context.Context) (stream.ByteStream, error) { return ln.Connect(ctx) }, nil
}

func connector(context.Context) (stream.Connector[*memory.Conn], func(context.Context) (stream.ByteStream, error), func() error, error) {
	ln := memory.Listen(nil)
	return ln, func(ctx context.Context) (stream.ByteStream, error) { return ln.Accept(ctx) }, ln.Close, nil
}

func TestMemoryListenersHoldTheContract(t *testing.T) {
	for _, bubble := range []bool{false, true} {
		streamtest.TestListener(t, &streamtest.ListenerMaker[*memory.Conn]{Listen: listen, Bubble: bubble})
		streamtest.TestConnector(t, &streamtest.ConnectorMaker[*memory.Conn]{Connector: connector, Bubble: bubble})
	}
}

func TestOneWayStreamsHoldTheContract(t *testing.T) {
	streamtest.TestOneWay(t, &streamtest.OneWayMaker{Holds: 4 << 10, Bubble: true,
		Pipe: func(context.Context) (stream.ByteSender, stream.ByteReceiver, error) {
			a, b := newPipe(4 << 10)
			return a, b, nil
		}})
}

func TestStoredStreamsHoldTheContract(t *testing.T) {
	streamtest.TestStored(t, &streamtest.OneWayMaker{Bubble: true,
		Pipe: func(context.Context) (stream.ByteSender, stream.ByteReceiver, error) {
			a, b := newPipe(1<<30, keeps)
			return a, b, nil
		}})
}

func TestStacksTellTheirAttributes(t *testing.T) {
	streamtest.TestAttributes(t, &streamtest.AttributesMaker{
		Names: []string{"test.pipe_name"},
		Stack: func(context.Context) (stream.Resource, []attr.Provider, error) {
			a, _ := newPipe(1)
			return streamtest.NewOneByte(a), []attr.Provider{a}, nil
		},
	})
}

func TestWrapperHoldsWhatIsWantedOfWrappers(t *testing.T) {
	streamtest.TestWrapper(t, &streamtest.WrapperMaker{
		Wrap: func(_ context.Context, s stream.ByteStream) (stream.ByteStream, error) {
			return stream.Wrapper{ByteStream: s}, nil
		},
		Fail: func(_ context.Context, s stream.ByteStream) error {
			s.Close()
			return errTest
		},
	})
}
