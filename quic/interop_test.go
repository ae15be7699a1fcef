package quic_test

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	xquic "golang.org/x/net/quic"

	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
	"github.com/strata-go/strata/tls"
)

// limited returns a context that ends what hangs.
func limited(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	tb.Cleanup(cancel)
	return ctx
}

// talk runs a server and a client, the first failure of which ends the other.
func talk(t *testing.T, server, client func(context.Context) error) {
	t.Helper()
	require.NoError(t, structured.Run(limited(t), func(ctx context.Context, g *structured.Group) error {
		g.Go("server", server)
		return client(ctx)
	}))
}

func TestEchoFromXNet(t *testing.T) {
	serverTLS, clientTLS := tlsConfigs(t)
	serverTLS.MinVersion = cryptotls.VersionTLS13 // which it asks for
	end := xnet(t, &xquic.Config{TLSConfig: serverTLS})
	talk(t,
		func(ctx context.Context) error { return xnetEcho(ctx, end) },
		func(ctx context.Context) error {
			c, err := quic.Dial(ctx, end.LocalAddr().String(), clientTLS, nil)
			if err != nil {
				return err
			}
			defer c.Close()
			s, err := c.OpenStream(ctx)
			if err != nil {
				return err
			}
			sent, got := noise(1, 1<<20), []byte(nil)
			errs := together(ctx, say(s, sent), hear(s, &got))
			return errors.Join(append(errs, differ(sent, got))...)
		})
}

// xnet opens an endpoint of golang.org/x/net/quic for the test.
func xnet(t *testing.T, cfg *xquic.Config) *xquic.Endpoint {
	t.Helper()
	end, err := xquic.Listen("udp", "127.0.0.1:0", cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // which has Close wait for nobody
		_ = end.Close(ctx)
	})
	return end
}

// xnetEcho serves one stream of one connection.
func xnetEcho(ctx context.Context, end *xquic.Endpoint) error {
	c, err := end.Accept(ctx)
	if err != nil {
		return err
	}
	s, err := c.AcceptStream(ctx)
	if err != nil {
		return err
	}
	s.SetReadContext(ctx)
	s.SetWriteContext(ctx)
	if _, err := io.Copy(s, s); err != nil {
		return err
	}
	return s.Close() // once all of it has arrived
}

func TestEchoToXNet(t *testing.T) {
	_, clientTLS := tlsConfigs(t)
	clientTLS.MinVersion = cryptotls.VersionTLS13
	ln := listen(t, nil)
	end := xnet(t, nil)
	talk(t,
		func(ctx context.Context) error { return serveOneEcho(ctx, ln) },
		func(ctx context.Context) error {
			c, err := end.Dial(ctx, "udp", addrOf(ln), &xquic.Config{TLSConfig: clientTLS})
			if err != nil {
				return err
			}
			defer c.Abort(&xquic.ConnectionCloseError{})
			return xnetCheck(ctx, c)
		})
}

// xnetCheck wants back from a new stream what it sent there.
func xnetCheck(ctx context.Context, c *xquic.Conn) error {
	s, err := c.NewStream(ctx)
	if err != nil {
		return err
	}
	s.SetReadContext(ctx)
	s.SetWriteContext(ctx)
	sent, got := noise(1, 1<<20), []byte(nil)
	errs := together(ctx,
		func(context.Context) error {
			_, err := s.Write(sent)
			return errors.Join(err, s.CloseWrite())
		},
		func(context.Context) (err error) {
			got, err = io.ReadAll(s)
			return err
		})
	return errors.Join(append(errs, differ(sent, got))...)
}

// serveOneEcho serves one stream of one connection, which the client closes.
func serveOneEcho(ctx context.Context, ln *quic.Listener) error {
	c, err := ln.Accept(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.AcceptStream(ctx)
	if err != nil {
		return err
	}
	if _, err := stream.Copy(ctx, s, s); err != nil {
		return err
	}
	if err := s.SendEOF(ctx); err != nil {
		return err
	}
	return closedBy(ctx, c, 0)
}

// The least there is of HTTP/3 (RFC 9114), with fields from QPACK's static table
// (RFC 9204 appendix A).
var (
	h3Control  = []byte{0x00, 0x04, 0x00}                                                                 // a control stream: SETTINGS without any
	h3Request  = append([]byte{0x01, 0x10, 0x00, 0x00, 0xd1, 0xd7, 0xc1, 0x50, 0x09}, "localhost"...)     // HEADERS: GET https://localhost/
	h3Response = append([]byte{0x01, 0x03, 0x00, 0x00, 0xd9, 0x00, byte(len(h3Greeting))}, h3Greeting...) // HEADERS: 200, and DATA
)

const (
	h3Greeting = "greetings from another QUIC"
	h3NoError  = quic.Code(0x100)
)

// h3Configs returns what servers and clients of HTTP/3 need, and the server's
// certificate in files.
func h3Configs(t *testing.T) (server, client *tls.Config, files peers.Files) {
	t.Helper()
	server, client = tlsConfigs(t)
	server.NextProtos, client.NextProtos = []string{"h3"}, []string{"h3"}
	var err error
	files.Cert, files.Key, err = testpki.WritePEM(t.TempDir(), "server", server.Certificates[0])
	require.NoError(t, err)
	return server, client, files
}

func TestHTTP3FromNGTCP2(t *testing.T) {
	for name, options := range map[string][]string{"plain": nil, "with Retry": {"--validate-addr"}} {
		t.Run(name, func(t *testing.T) {
			ctx := limited(t)
			_, clientTLS, files := h3Configs(t)
			htdocs := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(htdocs, "index.html"), []byte(h3Greeting), 0o600))
			addr := peers.GTLSServer(t, files, htdocs, options...)
			c, err := quic.Dial(ctx, addr.String(), clientTLS, nil)
			require.NoError(t, err)
			defer c.Abort(h3NoError)
			alpn, err := tls.ALPN.Get(c)
			require.NoError(t, err)
			assert.Equal(t, "h3", alpn)

			control, err := c.OpenSendStream(ctx)
			require.NoError(t, err)
			_, err = control.Send(ctx, h3Control)
			require.NoError(t, err)
			s, err := c.OpenStream(ctx)
			require.NoError(t, err)
			var response []byte
			for _, err := range together(ctx, say(s, h3Request), hear(s, &response)) {
				require.NoError(t, err)
			}
			assert.Contains(t, string(response), h3Greeting)
		})
	}
}

func TestHTTP3ToNGTCP2(t *testing.T) {
	serverTLS, _, _ := h3Configs(t)
	ln, err := quic.Listen(t.Context(), "127.0.0.1:0", serverTLS, nil)
	require.NoError(t, err)
	defer ln.Close()
	addr, err := quic.LocalAddrPort.Get(ln)
	require.NoError(t, err)
	downloads := t.TempDir()
	client := peers.Program(t, "gtlsclient", "ngtcp2-client") // or skip
	talk(t,
		func(ctx context.Context) error { return serveGreeting(ctx, ln) },
		func(ctx context.Context) error {
			said, err := peers.Command(ctx, "", client, "--quiet", "--exit-on-all-streams-close", "--download="+downloads,
				addr.Addr().String(), fmt.Sprint(addr.Port()), "https://localhost/greeting")
			if err != nil {
				return fmt.Errorf("%w: %s", err, said)
			}
			return nil
		})
	got, err := os.ReadFile(filepath.Join(downloads, "greeting"))
	require.NoError(t, err)
	assert.Equal(t, h3Greeting, string(got))
}

// serveGreeting answers one request of HTTP/3.
func serveGreeting(ctx context.Context, ln *quic.Listener) error {
	c, err := ln.Accept(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	control, err := c.OpenSendStream(ctx)
	if err != nil {
		return err
	}
	if _, err := control.Send(ctx, h3Control); err != nil {
		return err
	}
	s, err := c.AcceptStream(ctx)
	if err != nil {
		return err
	}
	var request []byte
	for _, err := range together(ctx, hear(s, &request), say(s, h3Response)) {
		if err != nil {
			return err
		}
	}
	return closedBy(ctx, c, h3NoError)
}

// closedBy waits until the peer closes the connection, with a code.
func closedBy(ctx context.Context, c *quic.Conn, code quic.Code) error {
	_, err := c.AcceptStream(ctx)
	if !errors.Is(err, code) {
		return fmt.Errorf("the end is %w", err)
	}
	return nil
}
