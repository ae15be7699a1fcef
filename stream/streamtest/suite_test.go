package streamtest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
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

func TestMakersThatMakeNothingPanic(t *testing.T) {
	tests := []struct {
		want string
		run  func()
	}{
		{"AttributesMaker.Stack", func() { streamtest.TestAttributes(t, &streamtest.AttributesMaker{}) }},
		{"ConnectorMaker.Connector", func() {
			streamtest.TestConnector(t, &streamtest.ConnectorMaker[stream.ByteStream]{})
		}},
		{"ListenerMaker.Listen", func() {
			streamtest.TestListener(t, &streamtest.ListenerMaker[stream.ByteStream]{})
		}},
		{"Maker.Pipe", func() { streamtest.TestByteStream(t, &streamtest.Maker{}) }},
		{"ObjectMaker.Pipe", func() { streamtest.TestObjectStream(t, &streamtest.ObjectMaker[int]{}) }},
		{"Items.Item", func() {
			m := streamtest.ObjectMaker[int]{Pipe: func(context.Context) (a, b stream.ObjectStream[int], err error) { return }}
			streamtest.TestObjectStream(t, &m)
		}},
		{"ObjectOneWayMaker.Pipe", func() { streamtest.TestObjectOneWay(t, &streamtest.ObjectOneWayMaker[int]{}) }},
		{"OneWayMaker.Pipe", func() { streamtest.TestOneWay(t, &streamtest.OneWayMaker{}) }},
		{"OneWayMaker.Pipe", func() { streamtest.TestStored(t, &streamtest.OneWayMaker{}) }},
		{"PacketMaker.Pipe", func() { streamtest.TestPacketStream(t, &streamtest.PacketMaker[int]{}) }},
		{"WrapperMaker.Wrap", func() { streamtest.TestWrapper(t, &streamtest.WrapperMaker{}) }},
	}
	for _, tt := range tests {
		assert.PanicsWithValue(t, "streamtest: nil "+tt.want, tt.run)
	}
}
