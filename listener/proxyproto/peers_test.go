package proxyproto_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/listener/proxyproto"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// A backend is a server behind proxies: it echoes, and keeps what it knows of
// those that sent something.
type backend struct {
	addr    string
	streams chan *buffered.Stream // closed, but their fixed attributes answer
	checks  chan *proxyproto.Header
}

// behind starts one until the end of the test, which fails on any error.
func behind(t *testing.T) *backend {
	t.Helper()
	below, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	addr, _ := tcp.LocalAddr.Lookup(below)
	b := &backend{addr.String(), make(chan *buffered.Stream, 16), make(chan *proxyproto.Header, 1)}
	ln := proxyproto.NewListener(below, &proxyproto.Config{
		Trust:   trusting.Trust,
		OnError: func(_ attr.Provider, err error) { t.Error(err) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- listener.Serve(ctx, ln, b.echo, &listener.Config[*buffered.Stream]{
			OnError: func(_ context.Context, _ *buffered.Stream, err error) { t.Error(err) },
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *backend) echo(ctx context.Context, s *buffered.Stream) error {
	h, err := proxyproto.Received.Get(s)
	if err != nil {
		return err
	}
	if h.Local {
		select {
		case b.checks <- h:
		default:
		}
	}
	n, err := stream.Copy(ctx, s, s)
	if n == 0 && errors.Is(err, stream.ErrBroken) {
		return nil // a check, of the proxy's or of its port, may end in a reset
	}
	if n > 0 {
		b.streams <- s
	}
	return err
}

// through sends "hello" over s and returns what the backend knows of it.
func (b *backend) through(t *testing.T, s stream.ByteStream) *buffered.Stream {
	t.Helper()
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := s.Send(ctx, []byte("hello"))
	require.NoError(t, err)
	echoed := make([]byte, len("hello"))
	_, err = io.ReadFull(stream.NewReader(ctx, s), echoed)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(echoed))
	require.NoError(t, s.SendEOF(ctx))
	_, err = s.Receive(ctx, make([]byte, 1))
	require.Equal(t, io.EOF, err)
	select {
	case served := <-b.streams:
		return served
	case <-ctx.Done():
		require.NoError(t, context.Cause(ctx))
		return nil
	}
}

// files writes the certificates for a peer.
func files(t *testing.T) (peers.Files, *tls.Config) {
	t.Helper()
	ca, err := testpki.New(time.Now())
	require.NoError(t, err)
	server, err := ca.Issue(testpki.Server)
	require.NoError(t, err)
	client, err := ca.Issue(testpki.Client)
	require.NoError(t, err)
	dir := t.TempDir()
	cert, key, err := testpki.WritePEM(dir, "server", server)
	require.NoError(t, err)
	root, err := ca.WritePEM(dir)
	require.NoError(t, err)
	return peers.Files{CA: root, Cert: cert, Key: key}, &tls.Config{
		RootCAs: ca.Pool(), ServerName: "localhost", Certificates: []tls.Certificate{client}, NextProtos: []string{"echo"},
	}
}

func TestClientsOfHAProxyAndNginxAreKnown(t *testing.T) {
	b := behind(t)
	pem, _ := files(t)
	for _, peer := range []struct {
		name  string
		start func(t *testing.T) peers.Proxies
	}{
		{"haproxy", func(t *testing.T) peers.Proxies { return peers.HAProxy(t, pem, b.addr) }},
		{"nginx", func(t *testing.T) peers.Proxies { return peers.Nginx(t, b.addr) }},
	} {
		t.Run(peer.name, func(t *testing.T) {
			proxies := peer.start(t)
			for version, addr := range map[int]string{1: proxies.V1, 2: proxies.V2} {
				if addr == "" {
					continue
				}
				c, err := tcp.Dial(t.Context(), addr, nil)
				require.NoError(t, err)
				us, _ := tcp.LocalAddrPort.Lookup(c)
				front, _ := tcp.RemoteAddrPort.Lookup(c)
				s := b.through(t, c)
				h, err := proxyproto.Received.Get(s)
				require.NoError(t, err)
				assert.Equal(t, version, h.Version)
				remotes := all(t, tcp.RemoteAddrPort, s)
				require.Len(t, remotes, 2)
				assert.Equal(t, us, remotes[0])
				assert.NotEqual(t, us, remotes[1])
				assert.Equal(t, front, all(t, tcp.LocalAddrPort, s)[0])
			}
		})
	}
}

// TestHeadersOfHAProxyAndNginxAreOurs takes the headers as they come off the wire,
// which have to be what we make of them, byte for byte.
func TestHeadersOfHAProxyAndNginxAreOurs(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	require.NoError(t, err)
	defer ln.Close()
	addr, _ := tcp.LocalAddr.Lookup(ln)
	pem, cfg := files(t)
	haproxy, nginx := peers.HAProxy(t, pem, addr.String()), peers.Nginx(t, addr.String())
	for _, tt := range []struct {
		name, addr string
		secure     bool
		length     int // in bytes, where it does not depend on ports
	}{
		{"haproxy, v1", haproxy.V1, false, 0},
		{"haproxy, v2", haproxy.V2, false, 16 + 12},
		{"haproxy, v2 with TLVs", haproxy.TLS, true, 0},
		{"nginx, v1", nginx.V1, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := tcp.Dial(ctx, tt.addr, nil)
			require.NoError(t, err)
			var s stream.ByteStream = c
			if tt.secure {
				s, err = tls.WrapClient(ctx, c, cfg, nil)
				require.NoError(t, err)
			}
			defer s.Close()
			_, err = s.Send(ctx, []byte(marker))
			require.NoError(t, err)
			wire := marked(t, ctx, ln)
			got, err := receive(t, wire+marker)
			require.NoError(t, err)
			defer got.Close()
			h, err := proxyproto.Received.Get(got)
			require.NoError(t, err)
			ours, err := h.Append(nil)
			require.NoError(t, err)
			assert.Equal(t, wire, string(ours))
			if tt.length > 0 {
				assert.Len(t, wire, tt.length)
			}
		})
	}
}

// marker is what a test sends behind the header that a proxy makes.
const marker = "behind the header"

// marked returns what stands before the marker on the next connection that has one,
// which checks of the proxy's and of its port do not.
func marked(t *testing.T, ctx context.Context, ln *tcp.Listener) string {
	t.Helper()
	for {
		s, err := ln.Accept(ctx)
		require.NoError(t, err)
		var got []byte
		p := make([]byte, 1024)
		for err == nil && !bytes.HasSuffix(got, []byte(marker)) {
			var n int
			n, err = s.Receive(ctx, p)
			got = append(got, p[:n]...)
		}
		require.NoError(t, s.Close())
		if err == nil {
			return strings.TrimSuffix(string(got), marker)
		}
	}
}

// TestMegabytesGoThroughHAProxyAndNginx ends our direction while bytes are on the way
// back.
func TestMegabytesGoThroughHAProxyAndNginx(t *testing.T) {
	b := behind(t)
	pem, _ := files(t)
	haproxy, nginx := peers.HAProxy(t, pem, b.addr), peers.Nginx(t, b.addr)
	sent := bytes.Repeat([]byte("through a proxy\n"), 250_000)
	for name, addr := range map[string]string{"haproxy, v1": haproxy.V1, "haproxy, v2": haproxy.V2, "nginx": nginx.V1} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s, err := tcp.Dial(ctx, addr, nil)
			require.NoError(t, err)
			defer s.Close()
			ended := make(chan error, 1)
			go func() {
				_, err := s.Send(ctx, sent)
				ended <- errors.Join(err, s.SendEOF(ctx))
			}()
			got, err := io.ReadAll(stream.NewReader(ctx, s))
			require.NoError(t, err)
			require.NoError(t, <-ended)
			assert.True(t, bytes.Equal(sent, got), "all of it, and not %d bytes", len(got))
			<-b.streams
		})
	}
}

func TestHAProxyTellsOfTheClientsTLS(t *testing.T) {
	b := behind(t)
	pem, cfg := files(t)
	proxies := peers.HAProxy(t, pem, b.addr)
	conn, err := tcp.Dial(t.Context(), proxies.TLS, nil)
	require.NoError(t, err)
	c, err := tls.WrapClient(t.Context(), conn, cfg, nil)
	require.NoError(t, err)
	us, _ := tcp.LocalAddrPort.Lookup(c)
	s := b.through(t, c)
	assert.Equal(t, us, all(t, tcp.RemoteAddrPort, s)[0])
	assert.Equal(t, []string{"echo"}, all(t, proxyproto.ALPN, s))
	assert.Equal(t, []string{"localhost"}, all(t, proxyproto.Authority, s))
	id, err := proxyproto.UniqueID.Get(s)
	require.NoError(t, err)
	assert.Len(t, id, 36)
	told, err := proxyproto.TLS.Get(s)
	require.NoError(t, err)
	suite, _ := tls.CipherSuite.Lookup(c)
	assert.Equal(t, &proxyproto.ClientTLS{
		CertConn: true, CertSession: true, Verified: true, Version: "TLSv1.3",
		CommonName: "client.example", Cipher: suite.String(), SignatureAlg: "ecdsa-with-SHA256", KeyAlg: "EC256",
	}, told)
	h, err := proxyproto.Received.Get(s)
	require.NoError(t, err)
	_, ok := h.Value(proxyproto.TypeCRC32C)
	assert.True(t, ok)
}

func TestHAProxyAndNginxTakeOurHeaders(t *testing.T) {
	b := behind(t)
	pem, _ := files(t)
	headers := []proxyproto.Header{
		{Version: 1, Source: tcpAddr("192.0.2.1:56660"), Destination: tcpAddr("203.0.113.2:443")},
		{Version: 2, Source: tcpAddr("192.0.2.1:56660"), Destination: tcpAddr("203.0.113.2:443")},
		{
			Version: 2, Source: tcpAddr("192.0.2.1:56660"), Destination: tcpAddr("203.0.113.2:443"),
			TLVs: []proxyproto.TLV{
				{Type: proxyproto.TypeCRC32C}, {Type: proxyproto.TypeALPN, Value: []byte("h2")},
				{Type: proxyproto.TypeAuthority, Value: []byte("example.com")}, (&proxyproto.ClientTLS{Version: "TLSv1.3"}).TLV(),
				{Type: 0xe0, Value: []byte("own")},
			},
		},
		{Version: 1, Source: tcpAddr("[2001:db8::1]:56660"), Destination: tcpAddr("[2001:db8::2]:443")},
		{Version: 2, Source: tcpAddr("[2001:db8::1]:56660"), Destination: tcpAddr("[2001:db8::2]:443")},
	}
	t.Run("haproxy", func(t *testing.T) {
		proxies := peers.HAProxy(t, pem, b.addr)
		for _, h := range headers {
			assertPassedOn(t, b.through(t, begun(t, proxies.Accept, &h)), &h)
		}
		// It resets connections whose header of version 2 has no addresses but
		// is not local, which the protocol leaves to it.
		assertOriginIsTheSocket(t, b, proxies.Accept, proxyproto.Header{Version: 1}, proxyproto.Header{Local: true})
	})
	t.Run("nginx", func(t *testing.T) {
		proxies := peers.Nginx(t, b.addr)
		// It passes on the source alone, and makes a malformed header of its own
		// of an IPv6 source that was sent to its IPv4 address.
		for _, h := range headers[:3] {
			s := b.through(t, begun(t, proxies.Accept, &h))
			assert.Equal(t, h.Source.String(), all(t, tcp.RemoteAddrPort, s)[0].String())
		}
		assertOriginIsTheSocket(t, b, proxies.Accept,
			proxyproto.Header{Version: 1}, proxyproto.Header{Version: 2}, proxyproto.Header{Local: true})
	})
}

// begun connects to a proxy and sends h.
func begun(t *testing.T, addr string, h *proxyproto.Header) *tcp.Conn {
	t.Helper()
	c, err := proxyproto.NewConnector(&tcp.Connector{Addr: addr},
		func(*tcp.Conn) *proxyproto.Header { return h }).Connect(t.Context())
	require.NoError(t, err)
	return c
}

func assertPassedOn(t *testing.T, s *buffered.Stream, h *proxyproto.Header) {
	t.Helper()
	source, err := tcp.RemoteAddr.Get(s)
	require.NoError(t, err)
	assert.Equal(t, h.Source.String(), source.String())
	dest, err := tcp.LocalAddr.Get(s)
	require.NoError(t, err)
	assert.Equal(t, h.Destination.String(), dest.String())
}

// assertOriginIsTheSocket asserts that a proxy takes headers without addresses.
func assertOriginIsTheSocket(t *testing.T, b *backend, addr string, headers ...proxyproto.Header) {
	t.Helper()
	for _, h := range headers {
		c := begun(t, addr, &h)
		us, _ := tcp.LocalAddrPort.Lookup(c)
		assert.Equal(t, us, all(t, tcp.RemoteAddrPort, b.through(t, c))[0])
	}
}

func TestHealthChecksOfHAProxyAreNoErrors(t *testing.T) {
	b := behind(t) // which fails the test on one
	pem, _ := files(t)
	peers.HAProxy(t, pem, b.addr)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 5 {
		select {
		case h := <-b.checks:
			assert.Equal(t, 2, h.Version)
		case <-ctx.Done():
			require.NoError(t, context.Cause(ctx))
		}
	}
}
