package netconn_test

import (
	"context"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/stream/streamtest"
)

// plainListener hides that the listener it embeds has deadlines.
type plainListener struct{ net.Listener }

func TestWrappedListenersAreListeners(t *testing.T) {
	for _, kind := range []struct {
		name string
		hide func(net.Listener) net.Listener
	}{
		{"tcp", func(ln net.Listener) net.Listener { return ln }},
		{"without deadlines", func(ln net.Listener) net.Listener { return plainListener{ln} }},
		{"there and back", func(ln net.Listener) net.Listener {
			return netconn.FromListener(netconn.WrapListener(ln))
		}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			streamtest.TestListener(t, &streamtest.ListenerMaker[*netconn.Stream]{
				Listen: func(ctx context.Context) (
					stream.Listener[*netconn.Stream], func(context.Context) (stream.ByteStream, error), error,
				) {
					ln, err := net.Listen("tcp", "127.0.0.1:0")
					if err != nil {
						return nil, nil, err
					}
					return netconn.WrapListener(kind.hide(ln)), dialer(ln.Addr().String()), nil
				},
				Relisten: func(ctx context.Context, ln stream.Listener[*netconn.Stream]) (stream.Listener[*netconn.Stream], error) {
					addr, err := netconn.LocalAddr.Get(ln)
					if err != nil {
						return nil, err
					}
					again, err := net.Listen("tcp", addr.String())
					if err != nil {
						return nil, err
					}
					return netconn.WrapListener(kind.hide(again)), nil
				},
			})
		})
	}
}

func dialer(addr string) func(context.Context) (stream.ByteStream, error) {
	return func(ctx context.Context) (stream.ByteStream, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		return netconn.Wrap(conn), nil
	}
}

func TestNetListenerAcceptsUntilClosed(t *testing.T) {
	inner := memory.Listen(&memory.ListenConfig{Name: "inner"})
	ln := netconn.FromListener(inner)
	assert.Equal(t, "inner", ln.Addr().String())
	assert.NotNil(t, ln.(attr.Provider).Attributes())

	client, err := inner.Connect(t.Context())
	require.NoError(t, err)
	defer client.Close()
	conn, err := ln.Accept()
	require.NoError(t, err)
	require.NoError(t, conn.Close())

	done := make(chan error, 1)
	go func() {
		_, err := ln.Accept()
		done <- err
	}()
	require.NoError(t, ln.Close())
	err = <-done
	require.ErrorIs(t, err, net.ErrClosed)
	var op *net.OpError
	require.ErrorAs(t, err, &op)
	assert.Equal(t, "accept", op.Op)
}

// failing is a listener that has run out of descriptors.
type failing struct{ stream.Listener[*memory.Conn] }

var errFull = &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept", syscall.EMFILE)}

func (failing) Accept(context.Context) (*memory.Conn, error) { return nil, errFull }

func TestNetListenerKeepsErrorsThatServersRetry(t *testing.T) {
	inner := memory.Listen(nil)
	defer inner.Close()
	_, err := netconn.FromListener(failing{inner}).Accept()
	_, ok := err.(net.Error) // as net/http looks for it
	require.True(t, ok)
	assert.True(t, err.(temporary).Temporary())
	assert.Same(t, errFull, err)
}

func TestWrappedListenerTellsItsAddress(t *testing.T) {
	below, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ln := netconn.WrapListener(below)
	for range 2 { // open, and closed
		assert.Equal(t, below.Addr(), get(t, netconn.LocalAddr, ln))
		assert.Equal(t, unmapped(below.Addr()), get(t, netconn.LocalAddrPort, ln))
		assert.Equal(t, netconn.IPv4, get(t, netconn.NetFamily, ln))
		absent(t, netconn.RemoteAddr, ln)
		absent(t, netconn.NetConn, ln)
		require.NoError(t, ln.Close())
	}
}
