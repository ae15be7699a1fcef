package tcp_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/tcp"
)

func TestConnHoldsTheContract(t *testing.T) {
	streamtest.TestByteStream(t, &streamtest.Maker{Pipe: pipe})
}

func TestListenerHoldsTheContract(t *testing.T) {
	t.Run("one socket", func(t *testing.T) { listenerContract(t, "127.0.0.1", nil) })
	t.Run("several sockets", func(t *testing.T) {
		needIPv6(t)
		listenerContract(t, "host.test", &tcp.ListenConfig{Resolver: &hosts{addrs: []string{"127.0.0.1", "::1"}}})
	})
}

// listenerContract dials the sockets of its listeners by turns.
func listenerContract(t *testing.T, host string, cfg *tcp.ListenConfig) {
	t.Helper()
	var turn atomic.Int32
	streamtest.TestListener(t, &streamtest.ListenerMaker[*tcp.Conn]{
		Listen: func(ctx context.Context) (stream.Listener[*tcp.Conn], func(context.Context) (stream.ByteStream, error), error) {
			ln, err := tcp.Listen(ctx, host+":0", cfg)
			if err != nil {
				return nil, nil, err
			}
			addrs := addrsOf(t, ln)
			return ln, func(ctx context.Context) (stream.ByteStream, error) {
				return tcp.Dial(ctx, addrs[int(turn.Add(1))%len(addrs)].String(), nil)
			}, nil
		},
		Relisten: func(ctx context.Context, ln stream.Listener[*tcp.Conn]) (stream.Listener[*tcp.Conn], error) {
			return tcp.Listen(ctx, net.JoinHostPort(host, port(t, addrOf(ln))), cfg)
		},
	})
}

func TestConnectorHoldsTheContract(t *testing.T) {
	streamtest.TestConnector(t, &streamtest.ConnectorMaker[*tcp.Conn]{
		Connector: func(ctx context.Context) (stream.Connector[*tcp.Conn], func(context.Context) (stream.ByteStream, error), func() error, error) {
			ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
			if err != nil {
				return nil, nil, nil, err
			}
			accept := func(ctx context.Context) (stream.ByteStream, error) { return ln.Accept(ctx) }
			return &tcp.Connector{Addr: addrOf(ln)}, accept, ln.Close, nil
		},
	})
}

func TestAttributesHoldTheContract(t *testing.T) {
	streamtest.TestAttributes(t, &streamtest.AttributesMaker{
		Stack: func(ctx context.Context) (stream.Resource, []attr.Provider, error) {
			a, b, err := pair(ctx)
			if err != nil {
				return nil, nil, err
			}
			return a, nil, b.Close()
		},
		Names: []string{
			tcp.LocalAddr.Name(), tcp.RemoteAddr.Name(), tcp.LocalAddrPort.Name(), tcp.RemoteAddrPort.Name(),
			tcp.Host.Name(), tcp.Family.Name(), tcp.RawConn.Name(), tcp.NetConn.Name(),
		},
	})
}
