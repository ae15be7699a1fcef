package proxyproto_test

import (
	"context"
	"errors"
	"io"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/listener/proxyproto"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// connect has a proxy connect to ln and send first.
func connect(t *testing.T, ln *memory.Listener, first string) *memory.Conn {
	t.Helper()
	c, err := ln.Connect(t.Context())
	require.NoError(t, err)
	_, err = c.Send(t.Context(), []byte(first))
	require.NoError(t, err)
	return c
}

func TestSilentProxyHoldsUpNobodyAndTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		failed := make(chan error, 3)
		ln := proxyproto.NewListener(below, &proxyproto.Config{
			Trust:   trusting.Trust,
			OnError: func(_ attr.Provider, err error) { failed <- err },
		})
		defer ln.Close()
		start := time.Now()
		silent := connect(t, below, "")
		slow := connect(t, below, "PROXY ")
		connect(t, below, "PROXY UNKNOWN\r\n")
		s, err := ln.Accept(t.Context())
		require.NoError(t, err)
		defer s.Close()
		assert.Zero(t, time.Since(start))
		go func() {
			for { // about one byte a second
				<-time.After(900 * time.Millisecond)
				if _, err := slow.Send(t.Context(), []byte("U")); err != nil {
					return
				}
			}
		}()
		for _, c := range []*memory.Conn{silent, slow} {
			err := <-failed
			var late *listener.PrepareTimeoutError
			require.ErrorAs(t, err, &late)
			_, err = c.Receive(t.Context(), make([]byte, 1))
			assert.Equal(t, io.EOF, err)
		}
		assert.Equal(t, proxyproto.DefaultHeaderTimeout, time.Since(start))
		<-time.After(2 * time.Second) // for the slow one to notice
	})
}

func TestErrorsOfHeadersAreToldWithTheProxysAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		failed := make(chan error, 1)
		var addr string
		ln := proxyproto.NewListener(below, &proxyproto.Config{
			Trust: trusting.Trust,
			OnError: func(p attr.Provider, err error) {
				a, _ := sockattr.RemoteAddr.Lookup(p)
				addr = a.String()
				failed <- err
			},
		})
		defer ln.Close()
		c := connect(t, below, "GET / HTTP/1.1\r\n\r\n")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			_, _ = ln.Accept(ctx) // canceled at the end
		}()
		var bad *proxyproto.HeaderError
		require.ErrorAs(t, <-failed, &bad)
		local, _ := sockattr.LocalAddr.Lookup(c)
		assert.Equal(t, local.String(), addr)
	})
}

func TestConnectionsThatEndBeforeTheirFirstByteAreNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		var told []error
		ln := proxyproto.NewListener(below, &proxyproto.Config{
			Trust:   trusting.Trust,
			OnError: func(_ attr.Provider, err error) { told = append(told, err) },
		})
		require.NoError(t, connect(t, below, "").Close())
		require.NoError(t, connect(t, below, "").Abort(syscall.ECONNRESET))
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			synctest.Wait()
			cancel()
		}()
		_, err := ln.Accept(ctx)
		require.ErrorIs(t, err, context.Canceled)
		assert.Empty(t, told)

		require.NoError(t, connect(t, below, "PROXY").Close()) // but this is one
		synctest.Wait()
		require.Len(t, told, 1)
		require.ErrorIs(t, told[0], io.ErrUnexpectedEOF)
		require.NoError(t, ln.Close())
	})
}

func TestHealthCheckReachesTheHandlerAsAnEmptyStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		ln := proxyproto.NewListener(below, trusting)
		defer ln.Close()
		require.NoError(t, connect(t, below, unhex(t, signature+"20 00 0000")).Close())
		s, err := ln.Accept(t.Context())
		require.NoError(t, err)
		defer s.Close()
		h, err := proxyproto.Received.Get(s)
		require.NoError(t, err)
		assert.True(t, h.Local)
		_, err = s.Receive(t.Context(), make([]byte, 1))
		assert.Equal(t, io.EOF, err)
	})
}

// proxied is a pipe whose server side took a header.
func proxied(ctx context.Context) (client, server stream.ByteStream, err error) {
	a, b := memory.Pipe(&memory.Config{Buffer: 4096})
	h := &proxyproto.Header{Source: tcpAddr("192.0.2.1:1"), Destination: tcpAddr("192.0.2.2:2")}
	if err := proxyproto.Send(ctx, a, h); err != nil {
		return nil, nil, err
	}
	s, err := proxyproto.WrapServer(ctx, b, trusting)
	return a, s, err
}

func TestWrappedHoldsTheContract(t *testing.T) {
	streamtest.TestByteStream(t, &streamtest.Maker{Bubble: true, Pipe: proxied, Holds: 4096})
}

func TestWrapperKeepsWhatTheStreamBelowCan(t *testing.T) {
	streamtest.TestWrapper(t, &streamtest.WrapperMaker{
		Wrap: func(ctx context.Context, s stream.ByteStream) (stream.ByteStream, error) {
			b := buffered.New(s, nil)
			if err := b.Feed([]byte("PROXY TCP4 192.0.2.1 203.0.113.2 56660 443\r\n")); err != nil {
				return nil, err
			}
			return proxyproto.WrapServer(ctx, b, trusting)
		},
		Fail: func(ctx context.Context, s stream.ByteStream) error {
			_, err := proxyproto.WrapServer(ctx, s, nil)
			return err
		},
		OwnWaitReceive: true,
		Bubble:         true,
	})
}

func TestAttributesHoldTheirRules(t *testing.T) {
	streamtest.TestAttributes(t, &streamtest.AttributesMaker{
		Stack: func(ctx context.Context) (stream.Resource, []attr.Provider, error) {
			a, s, err := proxied(ctx)
			if err != nil {
				return nil, nil, err
			}
			return s, nil, a.Close()
		},
		Names: []string{
			sockattr.LocalAddr.Name(), sockattr.RemoteAddr.Name(), sockattr.LocalAddrPort.Name(),
			sockattr.RemoteAddrPort.Name(), proxyproto.Received.Name(), stream.Unread.Name(),
		},
		Bubble: true,
	})
}

func TestListenerHoldsTheContract(t *testing.T) {
	streamtest.TestListener(t, &streamtest.ListenerMaker[*buffered.Stream]{
		Listen: func(context.Context) (stream.Listener[*buffered.Stream], func(context.Context) (stream.ByteStream, error), error) {
			below := memory.Listen(nil)
			c := proxyproto.NewConnector(below, func(*memory.Conn) *proxyproto.Header { return new(proxyproto.Header) })
			return proxyproto.NewListener(below, trusting),
				func(ctx context.Context) (stream.ByteStream, error) { return c.Connect(ctx) }, nil
		},
		Bubble: true,
	})
}

func TestConnectorHoldsTheContract(t *testing.T) {
	streamtest.TestConnector(t, &streamtest.ConnectorMaker[*memory.Conn]{
		Connector: func(context.Context) (stream.Connector[*memory.Conn], func(context.Context) (stream.ByteStream, error), func() error, error) {
			below := memory.Listen(nil)
			ln := proxyproto.NewListener(below, trusting)
			c := proxyproto.NewConnector(below, func(*memory.Conn) *proxyproto.Header { return new(proxyproto.Header) })
			return c, func(ctx context.Context) (stream.ByteStream, error) { return ln.Accept(ctx) }, ln.Close, nil
		},
		Bubble: true,
	})
}

func TestConnectorClosesWhatItCannotBegin(t *testing.T) {
	below := memory.Listen(nil)
	defer below.Close()
	c := proxyproto.NewConnector(below, func(*memory.Conn) *proxyproto.Header { return &proxyproto.Header{Version: 3} })
	s, err := c.Connect(t.Context())
	require.ErrorContains(t, err, "no version 3")
	assert.Nil(t, s)
	accepted, err := below.Accept(t.Context())
	require.NoError(t, err)
	defer accepted.Close()
	_, err = accepted.Receive(t.Context(), make([]byte, 1))
	assert.Equal(t, io.EOF, err)
}

func TestErrorOfConnectingIsReturnedAsItIs(t *testing.T) {
	refused := errors.New("refused")
	c := proxyproto.NewConnector(failing{refused}, func(*memory.Conn) *proxyproto.Header { return nil })
	_, err := c.Connect(t.Context())
	assert.Equal(t, refused, err)
}

type failing struct{ err error }

func (f failing) Connect(context.Context) (*memory.Conn, error) { return nil, f.err }

func TestClientIsPassedOnWithAllThatIsKnown(t *testing.T) {
	_, conn := tcpPair(t)
	h := proxyproto.Of(conn)
	remote, _ := tcp.RemoteAddr.Lookup(conn)
	local, _ := tcp.LocalAddr.Lookup(conn)
	assert.Equal(t, &proxyproto.Header{Source: remote, Destination: local}, h)

	a, b := memory.Pipe(nil)
	defer a.Close()
	defer b.Close()
	assert.Equal(t, new(proxyproto.Header), proxyproto.Of(a), "an address that the protocol does not know")
}

func TestClientsTLSIsPassedOn(t *testing.T) {
	cfg, clientCfg := configs(t)
	cfg.NextProtos, clientCfg.NextProtos = []string{"h2"}, []string{"h2"}
	cfg.ClientAuth = tls.RequireAndVerifyClientCert
	a, b := memory.Pipe(nil)
	defer a.Close()
	go func() {
		if _, err := tls.WrapClient(t.Context(), a, clientCfg, nil); err != nil {
			t.Error(err)
		}
	}()
	c, err := tls.WrapServer(t.Context(), b, cfg, nil)
	require.NoError(t, err)
	defer c.Close()

	wire, err := proxyproto.Of(c).Append(nil)
	require.NoError(t, err)
	s, err := receive(t, string(wire))
	require.NoError(t, err)
	defer s.Close()
	assert.Equal(t, []string{"h2"}, all(t, proxyproto.ALPN, s))
	assert.Equal(t, []string{"localhost"}, all(t, proxyproto.Authority, s))
	told, err := proxyproto.TLS.Get(s)
	require.NoError(t, err)
	suite, _ := tls.CipherSuite.Lookup(c)
	assert.Equal(t, &proxyproto.ClientTLS{
		CertConn: true, CertSession: true, Verified: true,
		Version: "TLSv1.3", CommonName: "client.example", Cipher: suite.String(),
	}, told)
}
