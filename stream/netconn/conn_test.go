package netconn_test

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
)

// fromPipe is two ends in memory as net.Conns.
func fromPipe() (a, b net.Conn) {
	x, y := memory.Pipe(nil)
	return netconn.From(x), netconn.From(y)
}

func TestConnsPassNettest(t *testing.T) {
	tests := []struct {
		name string
		pair func(context.Context) (a, b net.Conn, err error)
	}{
		{"memory", func(context.Context) (a, b net.Conn, err error) {
			a, b = fromPipe()
			return a, b, nil
		}},
		{"memory, lockstep", func(context.Context) (a, b net.Conn, err error) {
			x, y := memory.Pipe(&memory.Config{Buffer: -1})
			return netconn.From(x), netconn.From(y), nil
		}},
		{"tcp", fromWrapped(tcpPair)},
		{"unix", fromWrapped(unixPair)},
		{"net.Pipe", fromWrapped(func(context.Context) (a, b net.Conn, err error) {
			a, b = net.Pipe()
			return a, b, nil
		})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			nettest.TestConn(t, func() (a, b net.Conn, stop func(), err error) {
				a, b, err = tt.pair(t.Context())
				return a, b, func() { _, _ = a.Close(), b.Close() }, err
			})
		})
	}
}

// fromWrapped goes through a stream and back.
func fromWrapped(
	pair func(context.Context) (a, b net.Conn, err error),
) func(context.Context) (a, b net.Conn, err error) {
	return func(ctx context.Context) (net.Conn, net.Conn, error) {
		a, b, err := pair(ctx)
		if err != nil {
			return nil, nil, err
		}
		return netconn.From(netconn.Wrap(a)), netconn.From(netconn.Wrap(b)), nil
	}
}

func TestDeadlineWakesACallUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := fromPipe()
		defer func() { _, _ = a.Close(), b.Close() }()
		done := make(chan error, 1)
		go func() {
			_, err := a.Read(make([]byte, 1))
			done <- err
		}()
		synctest.Wait() // it reads
		start := time.Now()
		require.NoError(t, a.SetReadDeadline(start.Add(time.Second)))
		requireTimeout(t, <-done)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestMovedDeadlineHoldsForACallUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := fromPipe()
		defer func() { _, _ = a.Close(), b.Close() }()
		start := time.Now()
		require.NoError(t, a.SetDeadline(start.Add(time.Second)))
		done := make(chan error, 1)
		go func() {
			_, err := a.Read(make([]byte, 1))
			done <- err
		}()
		synctest.Wait()
		require.NoError(t, a.SetDeadline(start.Add(time.Hour)))
		requireTimeout(t, <-done)
		assert.Equal(t, time.Hour, time.Since(start))

		require.NoError(t, a.SetDeadline(time.Time{}))
		_, err := b.Write([]byte("x"))
		require.NoError(t, err)
		_, err = a.Read(make([]byte, 1))
		require.NoError(t, err, "a deadline that was removed")
	})
}

// temporary is what crypto/tls and net/http look for, although it is deprecated.
type temporary interface{ Temporary() bool }

// requireTimeout wants what users of net.Conn look for, each in its own way.
func requireTimeout(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	ne, ok := err.(net.Error) // as many users of net.Conn do
	require.True(t, ok, "%#v", err)
	assert.True(t, ne.Timeout())
	assert.True(t, ne.(temporary).Temporary(), "crypto/tls would give up for good")
}

func TestConcurrentCallsTakeTurnsWithinTheirDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := fromPipe()
		defer func() { _, _ = a.Close(), b.Close() }()
		require.NoError(t, a.SetReadDeadline(time.Now().Add(time.Second)))
		const readers = 10
		done := make(chan error, readers)
		for range readers {
			go func() {
				_, err := a.Read(make([]byte, 1))
				done <- err
			}()
		}
		synctest.Wait()
		_, err := b.Write([]byte("xyz"))
		require.NoError(t, err)
		got := 0
		for range readers {
			if err := <-done; err == nil {
				got++
			} else {
				requireTimeout(t, err)
			}
		}
		assert.Equal(t, 3, got)
	})
}

func TestConnHalfCloses(t *testing.T) {
	a, b := fromPipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	_, err := a.Write([]byte("question"))
	require.NoError(t, err)
	require.NoError(t, a.(*netconn.Conn).CloseWrite())
	got, err := io.ReadAll(b)
	require.NoError(t, err)
	assert.Equal(t, "question", string(got))
	_, err = b.Write([]byte("answer"))
	require.NoError(t, err)
	require.NoError(t, b.Close())
	got, err = io.ReadAll(a)
	require.NoError(t, err)
	assert.Equal(t, "answer", string(got))
}

func TestErrorsAreThoseOfNet(t *testing.T) {
	a, b := must(t, tcpPair)
	c := netconn.From(netconn.Wrap(a))
	n, err := c.Read(nil)
	assert.Zero(t, n)
	assert.NoError(t, err, "an empty Read")

	require.NoError(t, b.(*net.TCPConn).SetLinger(0))
	require.NoError(t, b.Close())
	_, err = c.Read(make([]byte, 1))
	var op *net.OpError
	require.ErrorAs(t, err, &op)
	assert.Equal(t, "read", op.Op)
	assert.ErrorIs(t, err, syscall.ECONNRESET)
	assert.ErrorIs(t, err, stream.ErrBroken)

	require.NoError(t, c.Close())
	require.NoError(t, c.Close(), "again")
	for _, err := range []error{
		second(c.Read(make([]byte, 1))), second(c.Write([]byte("x"))),
		c.SetDeadline(time.Time{}), c.(*netconn.Conn).CloseWrite(),
	} {
		assert.ErrorIs(t, err, net.ErrClosed)
	}
}

func second(_ int, err error) error { return err }

func TestConnWithoutHalfCloseSaysSo(t *testing.T) {
	x, y := net.Pipe()
	defer y.Close()
	c := netconn.From(netconn.Wrap(x)).(*netconn.Conn)
	defer c.Close()
	require.ErrorIs(t, c.CloseWrite(), errors.ErrUnsupported)
	again := netconn.Wrap(c) // whose CloseWrite is there, and fails
	require.ErrorIs(t, again.SendEOF(t.Context()), errors.ErrUnsupported)
	done := make(chan error, 1)
	go func() {
		_, err := again.Send(t.Context(), []byte("x"))
		done <- err
	}()
	_, err := y.Read(make([]byte, 1))
	require.NoError(t, err)
	require.NoError(t, <-done, "a SendEOF that is unsupported has no effect")
}

func TestConnKeepsAttributesAndAddresses(t *testing.T) {
	a, b := must(t, tcpPair)
	c := netconn.From(netconn.Wrap(a))
	assert.Equal(t, a.LocalAddr(), c.LocalAddr())
	assert.Equal(t, b.LocalAddr(), c.RemoteAddr())
	raw, err := netconn.NetConn.Get(c.(attr.Provider))
	require.NoError(t, err)
	assert.Same(t, a, raw)

	m, _ := fromPipe()
	defer m.Close()
	require.NotNil(t, m.LocalAddr())
	require.NotNil(t, m.RemoteAddr())
	assert.NotEmpty(t, m.RemoteAddr().String())
}

func TestAbortReachesTheStreamBelow(t *testing.T) {
	a, b := must(t, tcpPair)
	outer := netconn.Wrap(netconn.From(netconn.Wrap(a)))
	require.NoError(t, stream.Abort(outer, nil))
	_, err := b.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

func TestTLSOverConnSurvivesDeadlines(t *testing.T) {
	x, y := memory.Pipe(nil)
	client, server := tlsConfigs()
	a := cryptotls.Client(netconn.From(x), client)
	b := cryptotls.Server(netconn.From(y), server)
	defer func() { _, _ = a.Close(), b.Close() }()
	done := make(chan error, 1)
	go func() { done <- b.HandshakeContext(t.Context()) }()
	require.NoError(t, a.HandshakeContext(t.Context()))
	require.NoError(t, <-done)

	require.NoError(t, a.SetReadDeadline(time.Now().Add(-time.Second)))
	_, err := a.Read(make([]byte, 1))
	requireTimeout(t, err)
	require.NoError(t, a.SetReadDeadline(time.Time{}))
	_, err = b.Write([]byte("x"))
	require.NoError(t, err)
	_, err = a.Read(make([]byte, 1))
	require.NoError(t, err)
}

func TestNilArgumentsPanic(t *testing.T) {
	tests := []struct {
		name string
		call func()
		want string
	}{
		{"Wrap", func() { netconn.Wrap(nil) }, "netconn: Wrap: nil conn"},
		{"From", func() { netconn.From(nil) }, "netconn: From: nil s"},
		{"WrapListener", func() { netconn.WrapListener(nil) }, "netconn: WrapListener: nil ln"},
		{
			"FromListener", func() { netconn.FromListener[*netconn.Stream](nil) },
			"netconn: FromListener: nil ln",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.PanicsWithValue(t, tt.want, tt.call) })
	}
}
