package netconn_test

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
)

// handler tells how the request came, and sends its body back.
func handler(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Proto", r.Proto)
	if r.TLS != nil {
		w.Header().Set("ALPN", r.TLS.NegotiatedProtocol)
		w.Header().Set("Server-Name", r.TLS.ServerName)
	}
	_, _ = io.Copy(w, r.Body)
}

// serveHTTP runs a server until the test ends.
func serveHTTP(t *testing.T, ln net.Listener) {
	t.Helper()
	server := &http.Server{Handler: http.HandlerFunc(handler)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	t.Cleanup(func() {
		assert.NoError(t, server.Close())
		assert.ErrorIs(t, <-served, http.ErrServerClosed)
	})
}

// post posts through transport, and returns the answer with its body read.
func post(t *testing.T, transport *http.Transport, url string) (*http.Response, string) {
	t.Helper()
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("the body"))
	require.NoError(t, err)
	res, err := (&http.Client{Transport: transport}).Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(body)
}

func TestHTTP1RunsOverStreamsInMemory(t *testing.T) {
	ln := memory.Listen(nil)
	serveHTTP(t, netconn.FromListener(ln))
	res, body := post(t, &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			s, err := ln.Connect(ctx)
			if err != nil {
				return nil, err
			}
			return netconn.From(s), nil
		},
	}, "http://host.example/")
	assert.Equal(t, "the body", body)
	assert.Equal(t, "HTTP/1.1", res.Header.Get("Proto"))
}

// foreignTLS is a TCP listener that knows how to answer TLS clients.
func foreignTLS(t *testing.T, protocols ...string) (ln net.Listener, client *cryptotls.Config) {
	t.Helper()
	below, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	client, server := tlsConfigs()
	client, server = client.Clone(), server.Clone()
	client.NextProtos, server.NextProtos = protocols, protocols
	return cryptotls.NewListener(below, server), client
}

// handshaken accepts streams whose handshake is done, as package tls does.
type handshaken[S stream.ByteStream] struct {
	*netconn.Listener
	wrap func(*netconn.Stream, *cryptotls.Conn) S
}

func (h handshaken[S]) Accept(ctx context.Context) (s S, err error) {
	below, err := h.Listener.Accept(ctx)
	if err != nil {
		return s, err
	}
	conn, err := netconn.NetConn.Get(below)
	if err != nil {
		return s, err
	}
	std := conn.(*cryptotls.Conn)
	if err := std.HandshakeContext(ctx); err != nil {
		return s, errors.Join(err, below.Close())
	}
	return h.wrap(netconn.Wrap(std), std), nil
}

// withStd is what a stream of package tls is like.
type withStd struct {
	*netconn.Stream
	std *cryptotls.Conn
}

func (s withStd) Std() *cryptotls.Conn { return s.std }

func TestHTTPSetsRequestTLSOverATLSConn(t *testing.T) {
	below, client := foreignTLS(t, "http/1.1")
	ln := netconn.FromListener(handshaken[*netconn.Stream]{
		netconn.WrapListener(below),
		func(s *netconn.Stream, _ *cryptotls.Conn) *netconn.Stream { return s },
	})
	serveHTTP(t, ln)
	res, body := post(t, &http.Transport{TLSClientConfig: client}, "https://"+ln.Addr().String())
	assert.Equal(t, "the body", body)
	assert.Equal(t, "HTTP/1.1", res.Header.Get("Proto"))
	assert.Equal(t, "http/1.1", res.Header.Get("ALPN"))
	assert.Equal(t, "localhost", res.Header.Get("Server-Name"))
}

func TestHTTP2RunsOverStreamsWithStd(t *testing.T) {
	below, client := foreignTLS(t, "h2", "http/1.1")
	ln := netconn.FromListener(handshaken[withStd]{
		netconn.WrapListener(below),
		func(s *netconn.Stream, std *cryptotls.Conn) withStd { return withStd{s, std} },
	})
	serveHTTP(t, ln)
	res, body := post(t, &http.Transport{
		ForceAttemptHTTP2: true,
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			var d net.Dialer
			conn, err := d.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			tc := cryptotls.Client(netconn.From(netconn.Wrap(conn)), client)
			return tc, tc.HandshakeContext(ctx)
		},
	}, "https://"+ln.Addr().String())
	assert.Equal(t, "the body", body)
	assert.Equal(t, "HTTP/2.0", res.Header.Get("Proto"))
	assert.Equal(t, "h2", res.Header.Get("ALPN"))
}
