package tls_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/tls"
)

// speaking returns configurations of a server that offers protocols and of a
// client without any.
func speaking(t *testing.T, protocols ...string) (server, client *tls.Config) {
	server, client = bubbleConfigs(t, tls.VersionTLS13)
	server.NextProtos = protocols
	return server, client
}

// speak connects a client that asks for protocol, "" for none.
func speak(t *testing.T, below *memory.Listener, cfg *tls.Config, protocol string) *tls.Conn {
	t.Helper()
	s, err := below.Connect(t.Context())
	require.NoError(t, err)
	own := cfg.Clone()
	if protocol != "" {
		own.NextProtos = []string{protocol}
	}
	c, err := tls.WrapClient(t.Context(), s, own, nil)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func TestRouteHoldsTheContract(t *testing.T) {
	serverConfig, clientConfig := speaking(t, "a", "b")
	clientConfig.NextProtos = []string{"b"}
	streamtest.TestListener(t, &streamtest.ListenerMaker[*tls.Conn]{
		Bubble: true,
		Listen: func(context.Context) (stream.Listener[*tls.Conn], func(context.Context) (stream.ByteStream, error), error) {
			below := memory.Listen(nil)
			routes := tls.Route(tls.NewListener(below, serverConfig, nil), "a", "b")
			connect := func(ctx context.Context) (stream.ByteStream, error) {
				s, err := below.Connect(ctx)
				if err != nil {
					return nil, err
				}
				return tls.WrapClient(ctx, s, clientConfig, nil)
			}
			return routes[1], connect, routes[0].Close()
		},
	})
}

func TestEachProtocolHasItsOwnRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serverConfig, clientConfig := speaking(t, "a", "b", "c")
		below := memory.Listen(nil)
		routes := tls.Route(tls.NewListener(below, serverConfig, nil), "a", "b", "")
		defer func() {
			for _, r := range routes {
				assert.NoError(t, r.Close())
			}
			_, err := below.Connect(t.Context())
			assert.Error(t, err, "the last route closes the listener")
		}()
		want, err := netconn.LocalAddr.Get(below)
		require.NoError(t, err)
		wantFact(t, netconn.LocalAddr, routes[0], want)

		canceled, cancel := canceledSoon(t)
		defer cancel()
		_, err = routes[0].Accept(canceled) // starts accepting
		require.ErrorIs(t, err, context.DeadlineExceeded)
		for _, protocol := range []string{"b", "", "a", "b"} {
			speak(t, below, clientConfig, protocol)
		}
		unrouted := speak(t, below, clientConfig, "c")
		_, err = unrouted.Receive(t.Context(), make([]byte, 1))
		require.Equal(t, io.EOF, err)
		for i, protocol := range []string{"a", "b", ""} {
			s, err := routes[i].Accept(t.Context())
			require.NoError(t, err)
			if protocol == "" {
				wantAbsent(t, tls.ALPN, s)
			} else {
				wantFact(t, tls.ALPN, s, protocol)
			}
			require.NoError(t, s.Close())
		}
		s, err := routes[1].Accept(t.Context())
		require.NoError(t, err)
		require.NoError(t, s.Close())
	})
}

func TestClosedRouteClosesItsSessionsAndNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serverConfig, clientConfig := speaking(t, "a", "b")
		below := memory.Listen(nil)
		routes := tls.Route(tls.NewListener(below, serverConfig, nil), "a", "b")
		defer routes[0].Close()
		canceled, cancel := canceledSoon(t)
		defer cancel()
		_, err := routes[0].Accept(canceled)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		waiting := speak(t, below, clientConfig, "b")
		synctest.Wait()
		blocked := make(chan error, 1)
		go func() {
			s, err := routes[1].Accept(t.Context())
			if assert.NoError(t, err) {
				s.Close()
			}
			_, err = routes[1].Accept(t.Context())
			blocked <- err
		}()
		_, err = waiting.Receive(t.Context(), make([]byte, 1))
		require.Equal(t, io.EOF, err)
		synctest.Wait()
		require.NoError(t, routes[1].Close())
		require.NoError(t, routes[1].Close())
		require.ErrorIs(t, <-blocked, net.ErrClosed)
		late := speak(t, below, clientConfig, "b")
		_, err = late.Receive(t.Context(), make([]byte, 1))
		require.Equal(t, io.EOF, err)

		speak(t, below, clientConfig, "a")
		s, err := routes[0].Accept(t.Context())
		require.NoError(t, err)
		require.NoError(t, s.Close())
	})
}

// TestFullRouteHoldsUpNoOther: what nobody accepts is closed past 128.
func TestFullRouteHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serverConfig, clientConfig := speaking(t, "a", "b")
		below := memory.Listen(nil)
		routes := tls.Route(tls.NewListener(below, serverConfig, nil), "a", "b")
		canceled, cancel := canceledSoon(t)
		defer cancel()
		_, err := routes[0].Accept(canceled)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		for range 128 {
			speak(t, below, clientConfig, "a")
			synctest.Wait()
		}
		further := speak(t, below, clientConfig, "a")
		_, err = further.Receive(t.Context(), make([]byte, 1))
		require.Equal(t, io.EOF, err)
		speak(t, below, clientConfig, "b")
		s, err := routes[1].Accept(t.Context())
		require.NoError(t, err)
		require.NoError(t, s.Close())
		for _, r := range routes {
			require.NoError(t, r.Close())
		}
	})
}

// failing is a listener whose Accept fails once, and is closed after that.
type failing struct{ errs chan error }

func (f failing) Accept(ctx context.Context) (*tls.Conn, error) {
	select {
	case err := <-f.errs:
		return nil, err
	default:
		return nil, net.ErrClosed
	}
}
func (failing) Attributes() *attr.Set { return nil }
func (failing) Close() error          { return assert.AnError }

func TestRouteTellsErrorsOnce(t *testing.T) {
	below := failing{make(chan error, 1)}
	below.errs <- errors.ErrUnsupported
	route := tls.Route(below, "a")[0]
	_, err := route.Accept(t.Context())
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = route.Accept(t.Context())
	require.ErrorIs(t, err, net.ErrClosed)
	require.ErrorIs(t, route.Close(), assert.AnError)
}

func TestRoutePanicsOnWhatMakesNoSense(t *testing.T) {
	below := failing{}
	require.PanicsWithValue(t, "tls: Route: nil ln", func() { tls.Route(nil, "a") })
	require.PanicsWithValue(t, "tls: Route: no protocols", func() { tls.Route(below) })
	require.PanicsWithValue(t, "tls: Route: protocol a twice", func() { tls.Route(below, "a", "b", "a") })
}
