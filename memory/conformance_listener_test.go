package memory_test

import (
	"context"
	"testing"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

func TestListenerHoldsTheContract(t *testing.T) {
	for _, tt := range backlogs {
		inBothWorlds(t, tt.name, func(t *testing.T, bubble bool) {
			t.Helper()
			streamtest.TestListener(t, &streamtest.ListenerMaker[*memory.Conn]{
				Listen: func(context.Context) (stream.Listener[*memory.Conn], func(context.Context) (stream.ByteStream, error), error) {
					ln := memory.Listen(tt.cfg)
					connect := func(ctx context.Context) (stream.ByteStream, error) {
						c, err := ln.Connect(ctx)
						if err != nil {
							return nil, err // not a nil *Conn in an interface
						}
						return c, nil
					}
					return ln, connect, nil
				},
				Bubble: bubble,
			})
		})
	}
}

// backlogs are those where listeners behave differently.
var backlogs = []struct {
	name string
	cfg  *memory.ListenConfig
}{{"default", nil}, {"one", &memory.ListenConfig{Backlog: 1}}, {"none", &memory.ListenConfig{Backlog: -1}}}

func TestConnectorHoldsTheContract(t *testing.T) {
	for _, tt := range backlogs {
		inBothWorlds(t, tt.name, func(t *testing.T, bubble bool) {
			t.Helper()
			streamtest.TestConnector(t, &streamtest.ConnectorMaker[*memory.Conn]{
				Connector: func(context.Context) (stream.Connector[*memory.Conn], func(context.Context) (stream.ByteStream, error), func() error, error) {
					ln := memory.Listen(tt.cfg)
					accept := func(ctx context.Context) (stream.ByteStream, error) {
						c, err := ln.Accept(ctx)
						if err != nil {
							return nil, err
						}
						return c, nil
					}
					return ln, accept, ln.Close, nil
				},
				Bubble: bubble,
			})
		})
	}
}

func TestAttributesHoldTheContract(t *testing.T) {
	inBothWorlds(t, "pipe", func(t *testing.T, bubble bool) {
		t.Helper()
		streamtest.TestAttributes(t, &streamtest.AttributesMaker{
			Stack: func(context.Context) (stream.Resource, []attr.Provider, error) {
				a, _ := memory.Pipe(nil)
				return a, nil, nil
			},
			Names:  []string{"net.local_addr", "net.remote_addr"},
			Bubble: bubble,
		})
	})
	inBothWorlds(t, "listener", func(t *testing.T, bubble bool) {
		t.Helper()
		streamtest.TestAttributes(t, &streamtest.AttributesMaker{
			Stack: func(context.Context) (stream.Resource, []attr.Provider, error) {
				return memory.Listen(nil), nil, nil
			},
			Names:  []string{"net.local_addr"},
			Bubble: bubble,
		})
	})
}
