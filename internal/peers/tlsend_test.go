//go:build linux

package peers_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// palindromes is 1 MB in lines that are the same from either end, for peers that
// reverse them.
func palindromes(tb testing.TB) payload {
	tb.Helper()
	line := append(bytes.Repeat([]byte("ab"), 2000), 'a', '\n')
	p := payload{content: bytes.Repeat(line, 250), file: filepath.Join(tb.TempDir(), "payload")}
	require.NoError(tb, os.WriteFile(p.file, p.content, 0o600))
	return p
}

// echoing starts a server over TCP that sends back what it receives, and returns its
// address.
func echoing(t *testing.T) string {
	t.Helper()
	ln, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	addr, _ := tcp.LocalAddrPort.Lookup(ln)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- listener.Serve(ctx, ln, func(ctx context.Context, conn *tcp.Conn) error {
			if _, err := stream.Copy(ctx, conn, conn); err != nil {
				return err
			}
			return conn.SendEOF(ctx)
		}, &listener.Config[*tcp.Conn]{OnError: func(context.Context, *tcp.Conn, error) {}}) // a peer may hang up
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return addr.String()
}

// A tlsEcho is a server of others that sends back what it receives under TLS.
type tlsEcho struct {
	name  string
	start func(*testing.T, peers.Files) string

	ragged bool // ends the connection without close_notify
	cuts   bool // may end it when our direction ends, with bytes on the way back
}

var tlsEchoes = []tlsEcho{
	{name: "openssl", start: func(t *testing.T, f peers.Files) string {
		_, addr := peers.OpenSSLServer(t, f, "-rev")
		return addr
	}},
	{name: "socat", start: func(t *testing.T, f peers.Files) string { return peers.SocatServer(t, f) }},
	{name: "gnutls", start: func(t *testing.T, f peers.Files) string { return peers.GnuTLSServer(t, f) }},
	// stunnel reads no more of a connection that ended both ways.
	{name: "stunnel", cuts: true, start: func(t *testing.T, f peers.Files) string {
		return peers.Stunnel(t, f, echoing(t), "127.0.0.1:1", "").TLS
	}},
	{name: "haproxy", start: func(t *testing.T, f peers.Files) string {
		return peers.HAProxyTLS(t, f, echoing(t), "127.0.0.1:1").TLS
	}},
	{name: "nginx with half-closes", ragged: true, start: func(t *testing.T, f peers.Files) string {
		return peers.NginxTLS(t, f, echoing(t), "127.0.0.1:1", true).TLS
	}},
	{name: "nginx", ragged: true, cuts: true, start: func(t *testing.T, f peers.Files) string {
		return peers.NginxTLS(t, f, echoing(t), "127.0.0.1:1", false).TLS
	}},
}

// TestEndsOfServersUnderTLS ends our direction, and looks at what comes back and at how
// that ends, in strict and in tolerant mode.
func TestEndsOfServersUnderTLS(t *testing.T) {
	p := palindromes(t)
	for _, e := range tlsEchoes {
		t.Run(e.name, func(t *testing.T) {
			addr := e.start(t, files(t))
			for _, version := range versions {
				for mode, opt := range map[string]*tls.Options{"strict": nil, "tolerant": {AllowTruncation: true}} {
					t.Run(version.String()+", "+mode, func(t *testing.T) {
						e.exchange(t, limited(t), e.connect(t, addr, version, opt), p, opt == nil)
					})
				}
			}
			t.Run("another name", func(t *testing.T) {
				_, cfg := configs(t, 0)
				cfg.ServerName = "other.example"
				_, err := tls.WrapClient(limited(t), dialAny(t, addr), cfg, nil)
				var he *tls.HandshakeError
				require.ErrorAs(t, err, &he)
				assert.Equal(t, "other.example", he.ServerName)
			})
		})
	}
}

func (e tlsEcho) connect(t *testing.T, addr string, version tls.ProtocolVersion, opt *tls.Options) *tls.Conn {
	t.Helper()
	_, cfg := configs(t, version)
	s, err := tls.WrapClient(limited(t), dialAny(t, addr), cfg, opt)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	got, err := tls.Version.Get(s)
	require.NoError(t, err)
	assert.Equal(t, version, got)
	return s
}

// dialAny connects to a path or to a host and port.
func dialAny(t *testing.T, addr string) stream.ByteStream {
	t.Helper()
	dial := dialTCP
	if strings.HasPrefix(addr, "/") {
		dial = dialUnix
	}
	s, err := dial(limited(t), addr)
	require.NoError(t, err)
	return s
}

func (e tlsEcho) exchange(t *testing.T, ctx context.Context, s *tls.Conn, p payload, strict bool) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := s.Send(ctx, p.content)
		if err == nil {
			err = s.SendEOF(ctx)
		}
		sent <- err
	}()
	got, err := io.ReadAll(stream.NewReader(ctx, s))
	if e.cuts {
		<-sent // which fails if it hung up before that
		assert.True(t, bytes.HasPrefix(p.content, got))
	} else {
		require.NoError(t, <-sent)
		assert.True(t, bytes.Equal(p.content, got), "all of it, and not %d bytes", len(got))
	}
	switch {
	case !e.ragged:
		require.NoError(t, err)
	case strict:
		require.ErrorIs(t, err, stream.ErrBroken)
	case !e.cuts:
		require.NoError(t, err)
	}
	clean, err := tls.EndedCleanly.Get(s)
	require.NoError(t, err)
	assert.Equal(t, !e.ragged, clean)
}

// A tlsClient is a program of others that sends a payload to a server under TLS, ends,
// and takes what comes back.
type tlsClient struct {
	name string

	// start has it connect to the address, and returns what waits until it has
	// got all of the payload back.
	start func(t *testing.T, f peers.Files, addr string, p payload) (wait func())

	ragged   bool // ends its direction without close_notify
	onlySays bool // ends both directions
}

var tlsClients = []tlsClient{
	{name: "openssl", onlySays: true, start: func(t *testing.T, f peers.Files, addr string, p payload) func() {
		r := peers.Start(t, p.open(t), "openssl", "openssl", "s_client", "-connect", addr,
			"-CAfile", f.CA, "-verify_return_error", "-verify_hostname", "localhost")
		return func() { r.Wait(t) }
	}},
	{name: "socat", start: func(t *testing.T, f peers.Files, addr string, p payload) func() {
		address, received := part(t, "first", p)
		r := peers.Socat(t, address, "OPENSSL:"+addr+",commonname=localhost,cafile="+f.CA)
		return func() {
			r.Wait(t)
			got, err := os.ReadFile(received)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(p.content, got))
		}
	}},
	{name: "stunnel", start: func(t *testing.T, f peers.Files, addr string, p payload) func() {
		return firstThrough(t, peers.Stunnel(t, f, "127.0.0.1:1", addr, "").Plain, p)
	}},
	{name: "haproxy", start: func(t *testing.T, f peers.Files, addr string, p payload) func() {
		return firstThrough(t, peers.HAProxyTLS(t, f, "127.0.0.1:1", addr).Plain, p)
	}},
	{name: "nginx", ragged: true, start: func(t *testing.T, f peers.Files, addr string, p payload) func() {
		return firstThrough(t, peers.NginxTLS(t, f, "127.0.0.1:1", addr, true).Plain, p)
	}},
}

// firstThrough sends the payload to a proxy, ends, and wants it back once somebody
// waits for that.
func firstThrough(t *testing.T, addr string, p payload) (wait func()) {
	t.Helper()
	ctx := limited(t)
	s := dialAny(t, addr)
	t.Cleanup(func() { s.Close() })
	sent := make(chan error, 1)
	go func() {
		_, err := s.Send(ctx, p.content)
		if err == nil {
			err = s.SendEOF(ctx)
		}
		sent <- err
	}()
	return func() {
		require.NoError(t, <-sent)
		receive(t, ctx, s, p)
	}
}

// TestEndsOfClientsUnderTLS looks at how others end their direction, in strict and in
// tolerant mode, and sends them the payload back where that is not the end of all.
func TestEndsOfClientsUnderTLS(t *testing.T) {
	p, pem := palindromes(t), files(t)
	for _, c := range tlsClients {
		for _, version := range versions {
			for mode, opt := range map[string]*tls.Options{"strict": nil, "tolerant": {AllowTruncation: true}} {
				t.Run(c.name+", "+version.String()+", "+mode, func(t *testing.T) {
					ctx := limited(t)
					below, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
					require.NoError(t, err)
					server, _ := configs(t, version)
					ln := tls.NewListener(below, server, opt)
					defer ln.Close()
					addr, _ := tcp.LocalAddrPort.Lookup(ln)
					wait := c.start(t, pem, addr.String(), p)
					c.exchange(t, ctx, accept(t, ctx, ln), p, opt == nil, wait)
				})
			}
		}
	}
}

func (c tlsClient) exchange(t *testing.T, ctx context.Context, s *tls.Conn, p payload, strict bool, wait func()) {
	t.Helper()
	got, err := io.ReadAll(stream.NewReader(ctx, s))
	assert.True(t, bytes.Equal(p.content, got), "all of it, and not %d bytes", len(got))
	clean, known := tls.EndedCleanly.Lookup(s)
	assert.True(t, known)
	assert.Equal(t, !c.ragged, clean)
	if c.ragged && strict {
		require.ErrorIs(t, err, stream.ErrBroken)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		return
	}
	require.NoError(t, err)
	if !c.onlySays {
		send(t, ctx, s, p)
	}
	wait()
}
