package listener_test

import (
	"context"
	"testing"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

// over makes listeners over one in memory.
func over[S stream.ByteStream](make func(*memory.Listener) stream.Listener[S]) *streamtest.ListenerMaker[S] {
	return &streamtest.ListenerMaker[S]{
		Listen: func(context.Context) (stream.Listener[S], func(context.Context) (stream.ByteStream, error), error) {
			below := memory.Listen(nil)
			connect := func(ctx context.Context) (stream.ByteStream, error) { return below.Connect(ctx) }
			return make(below), connect, nil
		},
		Bubble: true,
	}
}

func TestPreparedHoldsTheContract(t *testing.T) {
	streamtest.TestListener(t, over(func(ln *memory.Listener) stream.Listener[*memory.Conn] {
		return listener.Prepare(ln, func(_ context.Context, c *memory.Conn) (*memory.Conn, error) { return c, nil }, nil)
	}))
}

func TestMappedHoldsTheContract(t *testing.T) {
	streamtest.TestListener(t, over(func(ln *memory.Listener) stream.Listener[stream.ByteStream] { return listener.Of(ln) }))
}
