package listener_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/unix"
)

func TestMergedHoldsTheContract(t *testing.T) {
	streamtest.TestListener(t, over(func(ln *memory.Listener) stream.Listener[*memory.Conn] {
		return listener.Multi[*memory.Conn](memory.Listen(nil), ln)
	}))
}

func TestStreamsOfAllListenersAreServedAlsoOfNestedOnes(t *testing.T) {
	overTCP, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	first, second := memory.Listen(nil), memory.Listen(nil)
	inMemory := listener.Multi[*memory.Conn](first, second)
	ln := listener.Multi[stream.ByteStream](listener.Of(overTCP), listener.Of(inMemory))

	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- listener.Serve(ctx, ln, func(ctx context.Context, s stream.ByteStream) error {
			_, err := stream.Copy(ctx, s, s)
			return err
		}, nil)
	}()
	addr, _ := tcp.LocalAddr.Lookup(overTCP)
	for _, c := range []stream.Connector[stream.ByteStream]{
		connectTo(&tcp.Connector{Addr: addr.String()}), connectTo(first), connectTo(second),
	} {
		s, err := c.Connect(ctx)
		require.NoError(t, err)
		assertEchoes(t, s)
		require.NoError(t, stream.Shutdown(ctx, s))
	}
	stop()
	require.NoError(t, <-done)
	for _, ln := range inMemory.Listeners() {
		_, err := ln.Accept(t.Context())
		assert.ErrorIs(t, err, net.ErrClosed)
	}
}

func TestHandlerOfSeveralTransportsSeesTheClientsAddress(t *testing.T) {
	overTCP, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "multi") //nolint:usetesting // TempDir has the test's name in it, too long for a socket
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	overUnix, err := unix.Listen(t.Context(), filepath.Join(dir, "s"), nil)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		ln := listener.Multi(listener.Of(overTCP), listener.Of(overUnix))
		done <- listener.Serve(ctx, ln, func(ctx context.Context, s stream.ByteStream) error {
			addr, err := sockattr.RemoteAddr.Get(s)
			if err == nil {
				_, err = s.Send(ctx, []byte(addr.Network()+" "+addr.String()))
			}
			return err
		}, nil)
	}()
	addr, _ := tcp.LocalAddr.Lookup(overTCP)
	for range 2 {
		for _, c := range []stream.Connector[stream.ByteStream]{
			connectTo(&tcp.Connector{Addr: addr.String()}),
			connectTo(&unix.Connector{Name: filepath.Join(dir, "s"), Config: &unix.DialConfig{LocalName: filepath.Join(dir, "c")}}),
		} {
			s, err := c.Connect(ctx)
			require.NoError(t, err)
			got, err := io.ReadAll(stream.NewReader(ctx, s))
			require.NoError(t, err)
			local, err := sockattr.LocalAddr.Get(s)
			require.NoError(t, err)
			assert.Equal(t, local.Network()+" "+local.String(), string(got))
			require.NoError(t, s.Close())
		}
	}
	stop()
	require.NoError(t, <-done)
}

// connector is a connector of S as one of any byte stream.
type connector[S stream.ByteStream] struct{ below stream.Connector[S] }

func connectTo[S stream.ByteStream](c stream.Connector[S]) connector[S] { return connector[S]{c} }

func (c connector[S]) Connect(ctx context.Context) (stream.ByteStream, error) {
	return c.below.Connect(ctx)
}

func TestAddressOfEachListenerIsReachable(t *testing.T) {
	first, second := memory.Listen(&memory.ListenConfig{Name: "a"}), memory.Listen(&memory.ListenConfig{Name: "b"})
	ln := listener.Multi[*memory.Conn](first, second)
	defer ln.Close()
	got, err := sockattr.LocalAddr.Get(ln)
	require.NoError(t, err)
	assert.Equal(t, "a", got.String())
	var all []string
	for addr, err := range sockattr.LocalAddr.All(ln) {
		require.NoError(t, err)
		all = append(all, addr.String())
	}
	assert.Equal(t, []string{"a", "b"}, all)
	assert.Equal(t, []stream.Listener[*memory.Conn]{first, second}, ln.Listeners())
}

func TestErrorOfOneListenerNamesItAndTheOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		short := sysError(listener.Passing[0])
		bad := &failing{Listener: memory.Listen(&memory.ListenConfig{Name: "bad"}), errs: []error{short}}
		good := memory.Listen(nil)
		ln := listener.Multi[*memory.Conn](good, bad)
		defer ln.Close()
		_, err := ln.Accept(t.Context())
		assert.ErrorIs(t, err, short)
		assert.ErrorContains(t, err, "bad: ")
		for _, below := range []*memory.Listener{good, bad.Listener} {
			client(t, below, "x")
			s, err := ln.Accept(t.Context())
			require.NoError(t, err)
			s.Close()
		}
	})
}

func TestServeEndsWhenOneOfSeveralListenersFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("interface gone")
		bad := &failing{Listener: memory.Listen(nil), errs: []error{gone}}
		good := memory.Listen(nil)
		err := listener.Serve(t.Context(), listener.Multi[*memory.Conn](good, bad), echo, nil)
		assert.ErrorIs(t, err, gone)
		_, err = good.Accept(t.Context())
		assert.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestMergedEndsWhenAllListenersAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := memory.Listen(nil), memory.Listen(nil)
		ln := listener.Multi[*memory.Conn](first, second)
		defer ln.Close()
		require.NoError(t, first.Close())
		_, err := ln.Accept(t.Context())
		assert.ErrorIs(t, err, net.ErrClosed, "the first's, told once")
		client(t, second, "x")
		s, err := ln.Accept(t.Context())
		require.NoError(t, err)
		s.Close()
		require.NoError(t, second.Close())
		for range 2 {
			_, err = ln.Accept(t.Context())
			assert.ErrorIs(t, err, net.ErrClosed)
		}
	})
}

// sour is a listener whose Close fails.
type sour struct{ *memory.Listener }

func (s sour) Close() error { return errors.Join(s.Listener.Close(), errors.New("sour")) }

func TestEveryListenerIsClosedAlsoWhenOneFailsTo(t *testing.T) {
	first, second := sour{memory.Listen(nil)}, sour{memory.Listen(nil)}
	err := listener.Multi[*memory.Conn](first, second).Close()
	assert.EqualError(t, err, "sour\nsour")
	_, err = second.Accept(t.Context())
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestMultiRefusesNone(t *testing.T) {
	assert.PanicsWithValue(t, "listener: Multi: no listeners", func() { listener.Multi[*memory.Conn]() })
	assert.PanicsWithValue(t, "listener: Multi: nil listener", func() { listener.Multi[*memory.Conn](nil) })
}
