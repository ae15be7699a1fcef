package memory_test

import (
	"context"
	"testing"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

// inBothWorlds runs test with real goroutines, and in bubbles of synctest.
func inBothWorlds(t *testing.T, name string, test func(t *testing.T, bubble bool)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { test(t, false) })
	t.Run(name+" in a bubble", func(t *testing.T) { test(t, true) })
}

func TestPipeHoldsTheContract(t *testing.T) {
	for _, tt := range pipes {
		inBothWorlds(t, tt.name, func(t *testing.T, bubble bool) {
			t.Helper()
			streamtest.TestByteStream(t, &streamtest.Maker{
				Pipe: func(context.Context) (a, b stream.ByteStream, err error) {
					a, b = memory.Pipe(tt.cfg)
					return a, b, nil
				},
				Bubble: bubble,
			})
		})
	}
}

// objectSizes are those where object streams behave differently.
var objectSizes = []struct {
	name string
	size int
}{{"unbuffered", 0}, {"one", 1}, {"many", 64}}

func numbers(bubble bool) streamtest.Items[int] {
	return streamtest.Items[int]{
		Item:   func(i int) int { return i },
		Number: func(item int) int { return item },
		Shared: true,
		Bubble: bubble,
	}
}

func TestSenderAndReceiverHoldTheContract(t *testing.T) {
	for _, tt := range objectSizes {
		inBothWorlds(t, tt.name, func(t *testing.T, bubble bool) {
			t.Helper()
			streamtest.TestObjectOneWay(t, &streamtest.ObjectOneWayMaker[int]{
				Pipe: func(context.Context) (stream.ObjectSender[int], stream.ObjectReceiver[int], error) {
					s, r := memory.New[int](tt.size)
					return s, r, nil
				},
				Items: numbers(bubble),
			})
		})
	}
}

func TestObjectPipeHoldsTheContract(t *testing.T) {
	for _, tt := range objectSizes {
		inBothWorlds(t, tt.name, func(t *testing.T, bubble bool) {
			t.Helper()
			streamtest.TestObjectStream(t, &streamtest.ObjectMaker[int]{
				Pipe: func(context.Context) (a, b stream.ObjectStream[int], err error) {
					a, b = memory.ObjectPipe[int](tt.size)
					return a, b, nil
				},
				Items: numbers(bubble),
			})
		})
	}
}
