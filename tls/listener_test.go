package tls_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/tls"
)

func TestListenerHoldsTheContract(t *testing.T) {
	serverConfig, clientConfig := bubbleConfigs(t, tls.VersionTLS13)
	streamtest.TestListener(t, &streamtest.ListenerMaker[*tls.Conn]{
		Bubble: true,
		Listen: func(context.Context) (stream.Listener[*tls.Conn], func(context.Context) (stream.ByteStream, error), error) {
			below := memory.Listen(nil)
			connect := func(ctx context.Context) (stream.ByteStream, error) {
				s, err := below.Connect(ctx)
				if err != nil {
					return nil, err
				}
				return tls.WrapClient(ctx, s, clientConfig, nil)
			}
			return tls.NewListener(below, serverConfig, nil), connect, nil
		},
	})
}

// failures collects what a listener's OnError is told.
type failures struct {
	errs chan error
	from chan net.Addr
}

func newFailures() *failures {
	return &failures{errs: make(chan error, 100), from: make(chan net.Addr, 100)}
}

func (f *failures) onError(s stream.ByteStream, err error) {
	addr, _ := netconn.RemoteAddr.Lookup(s)
	f.from <- addr
	f.errs <- err
}

func TestSilentClientHoldsUpNobodyAndTimesOut(t *testing.T) {
	for _, timeout := range []time.Duration{0, 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			serverConfig, clientConfig := bubbleConfigs(t, tls.VersionTLS13)
			failed := newFailures()
			below := memory.Listen(nil)
			ln := tls.NewListener(below, serverConfig, &tls.Options{
				HandshakeTimeout: timeout,
				OnError:          failed.onError,
			})
			defer ln.Close()
			start := time.Now()
			silent, err := below.Connect(t.Context())
			require.NoError(t, err)
			defer silent.Close()
			from, err := netconn.LocalAddr.Get(silent)
			require.NoError(t, err)
			serve(t, ln, below, clientConfig)
			require.Zero(t, time.Since(start))

			err = <-failed.errs
			require.ErrorIs(t, err, context.DeadlineExceeded)
			_, ok := errors.AsType[*tls.HandshakeError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, from, <-failed.from)
			want := timeout
			if want == 0 {
				want = 30 * time.Second
			}
			require.Equal(t, want, time.Since(start))
			serve(t, ln, below, clientConfig)
		})
	}
}

// serve wants an honest client to be served.
func serve(t *testing.T, ln *tls.Listener, below *memory.Listener, cfg *tls.Config) {
	t.Helper()
	type result struct {
		c   *tls.Conn
		err error
	}
	connected := make(chan result, 1)
	go func() {
		s, err := below.Connect(t.Context())
		if err != nil {
			connected <- result{nil, err}
			return
		}
		c, err := tls.WrapClient(t.Context(), s, cfg, nil)
		connected <- result{c, err}
	}()
	s, err := ln.Accept(t.Context())
	require.NoError(t, err)
	r := <-connected
	require.NoError(t, r.err)
	requireCarries(t, r.c, s, 100)
	require.NoError(t, r.c.Close())
	require.NoError(t, s.Close())
}

func TestFailedHandshakesAreToldOnceAndTheListenerLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serverConfig, clientConfig := bubbleConfigs(t, tls.VersionTLS13)
		failed := newFailures()
		below := memory.Listen(nil)
		ln := tls.NewListener(below, serverConfig, &tls.Options{OnError: failed.onError})
		defer ln.Close()
		for _, sent := range []string{"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff", ""} {
			c, err := below.Connect(t.Context())
			require.NoError(t, err)
			_, err = c.Send(t.Context(), []byte(sent))
			require.NoError(t, err)
			require.NoError(t, c.Close())
		}
		stranger, err := below.Connect(t.Context())
		require.NoError(t, err)
		go func() {
			_, err := tls.WrapClient(t.Context(), stranger, &tls.Config{ServerName: "who.example"}, nil)
			assert.Error(t, err)
		}()
		serve(t, ln, below, clientConfig)
		synctest.Wait()
		require.Len(t, failed.errs, 4)
		names := map[string]int{}
		for range 4 {
			shaken, ok := errors.AsType[*tls.HandshakeError](<-failed.errs)
			require.True(t, ok)
			names[shaken.ServerName]++
			require.NotNil(t, <-failed.from)
		}
		require.Equal(t, map[string]int{"": 3, "who.example": 1}, names)
	})
}

func TestHandshakesInFlightAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serverConfig, clientConfig := bubbleConfigs(t, tls.VersionTLS13)
		var shaking atomic.Int32
		serverConfig.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			defer shaking.Add(-1)
			assert.LessOrEqual(t, shaking.Add(1), int32(2))
			<-time.After(time.Second) // of the bubble
			return nil, nil
		}
		below := memory.Listen(nil)
		ln := tls.NewListener(below, serverConfig, &tls.Options{InFlight: 2})
		defer ln.Close()
		start := time.Now()
		for range 6 {
			go func() {
				s, err := below.Connect(t.Context())
				if !assert.NoError(t, err) {
					return
				}
				c, err := tls.WrapClient(t.Context(), s, clientConfig, nil)
				if assert.NoError(t, err) {
					c.Close()
				}
			}()
		}
		for range 6 {
			s, err := ln.Accept(t.Context())
			require.NoError(t, err)
			require.NoError(t, s.Close())
		}
		require.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestClosingTheListenerEndsHandshakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serverConfig, _ := bubbleConfigs(t, tls.VersionTLS13)
		failed := newFailures()
		below := memory.Listen(nil)
		ln := tls.NewListener(below, serverConfig, &tls.Options{OnError: failed.onError})
		accepted := make(chan error, 1)
		go func() {
			_, err := ln.Accept(t.Context())
			accepted <- err
		}()
		silent, err := below.Connect(t.Context())
		require.NoError(t, err)
		synctest.Wait()
		require.NoError(t, ln.Close())
		require.ErrorIs(t, <-accepted, net.ErrClosed)
		require.ErrorIs(t, <-failed.errs, net.ErrClosed)
		_, err = silent.Receive(t.Context(), make([]byte, 1))
		require.Error(t, err)
		require.NoError(t, silent.Close())
	})
}

func TestListenerAnswersForTheOneBelow(t *testing.T) {
	serverConfig, _ := usualConfigs(t, tls.VersionTLS13)
	below := memory.Listen(nil)
	want, err := netconn.LocalAddr.Get(below)
	require.NoError(t, err)
	ln := tls.NewListener(below, serverConfig, nil)
	wantFact(t, netconn.LocalAddr, ln, want)
	require.NoError(t, ln.Close())
}

func TestNewListenerPanicsOnNil(t *testing.T) {
	serverConfig, _ := usualConfigs(t, tls.VersionTLS13)
	require.PanicsWithValue(t, "tls: NewListener: nil ln", func() {
		tls.NewListener[*memory.Conn](nil, serverConfig, nil)
	})
	below := memory.Listen(nil)
	defer below.Close()
	require.PanicsWithValue(t, "tls: NewListener: nil cfg", func() { tls.NewListener(below, nil, nil) })
}
