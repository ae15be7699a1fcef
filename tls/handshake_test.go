package tls_test

import (
	"context"
	cryptotls "crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// shake does both handshakes over a pipe and returns both errors.
func shake(tb testing.TB, server, client *tls.Config) (clientErr, serverErr error) {
	tb.Helper()
	a, b := memory.Pipe(nil)
	served := make(chan error, 1)
	go func() {
		c, err := tls.WrapServer(tb.Context(), b, server, nil)
		if err == nil {
			_, err = c.Receive(tb.Context(), make([]byte, 1)) // in TLS 1.3 a client's certificate comes last
			c.Close()
		}
		served <- err
	}()
	c, err := tls.WrapClient(tb.Context(), a, client, nil)
	if err == nil {
		_, err = c.Receive(tb.Context(), make([]byte, 1))
		c.Close()
	}
	serverErr = <-served
	requireClosed(tb, a)
	requireClosed(tb, b)
	return err, serverErr
}

func requireClosed(tb testing.TB, s stream.ByteStream) {
	tb.Helper()
	_, err := s.Send(context.Background(), []byte("x"))
	require.ErrorIs(tb, err, net.ErrClosed, "the stream below is open")
}

func TestRefusedCertificateIsToldByName(t *testing.T) {
	p, err := usual()
	require.NoError(t, err)
	tests := []struct {
		name string
		leaf testpki.Leaf
		want func(error) bool
	}{
		{"expired", testpki.Expired, func(err error) bool {
			e, ok := errors.AsType[x509.CertificateInvalidError](err)
			return ok && e.Reason == x509.Expired
		}},
		{"not yet valid", testpki.NotYetValid, func(err error) bool {
			e, ok := errors.AsType[x509.CertificateInvalidError](err)
			return ok && e.Reason == x509.Expired
		}},
		{"self-signed", testpki.SelfSigned, func(err error) bool {
			_, ok := errors.AsType[x509.UnknownAuthorityError](err)
			return ok
		}},
		{"wrong name", testpki.WrongName, func(err error) bool {
			e, ok := errors.AsType[x509.HostnameError](err)
			return ok && e.Host == "localhost"
		}},
	}
	for _, v := range versions {
		for _, tt := range tests {
			t.Run(v.name+" "+tt.name, func(t *testing.T) {
				server, client := p.configs(v.version)
				cert, err := p.ca.Issue(tt.leaf)
				require.NoError(t, err)
				server.Certificates = []tls.Certificate{cert}
				clientErr, serverErr := shake(t, server, client)

				shaken, ok := errors.AsType[*tls.HandshakeError](clientErr)
				require.True(t, ok, "%v", clientErr)
				assert.Equal(t, "localhost", shaken.ServerName)
				assert.False(t, shaken.Server)
				assert.True(t, tt.want(clientErr), "%v", clientErr)
				assert.Contains(t, clientErr.Error(), `tls: handshake for "localhost": `)
				// The server learns from the alert why.
				assert.ErrorContains(t, serverErr, "bad certificate")
			})
		}
	}
}

func TestHandshakeErrorsSayWhatWasWrong(t *testing.T) {
	p, err := usual()
	require.NoError(t, err)
	tests := []struct {
		name       string
		change     func(server, client *tls.Config)
		wantClient string
		wantServer string
	}{
		{"no common ALPN protocol", func(server, client *tls.Config) {
			server.NextProtos, client.NextProtos = []string{"h2"}, []string{"imap"}
		}, "no application protocol", `client requested unsupported application protocols (["imap"])`},
		{"no common version", func(server, client *tls.Config) {
			server.MinVersion, server.MaxVersion = tls.VersionTLS13, tls.VersionTLS13
			client.MinVersion, client.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		}, "protocol version not supported", "client offered only unsupported versions"},
		{"no client certificate", func(server, client *tls.Config) {
			server.ClientAuth = tls.RequireAndVerifyClientCert
		}, "certificate required", "client didn't provide a certificate"},
		{"a client certificate of another authority", func(server, client *tls.Config) {
			server.ClientAuth = tls.RequireAndVerifyClientCert
			server.ClientCAs = x509.NewCertPool()
			client.GetClientCertificate = func(*cryptotls.CertificateRequestInfo) (*tls.Certificate, error) {
				return &p.client, nil
			}
		}, "unknown certificate authority", "certificate signed by unknown authority"},
		{"a server without a certificate", func(server, client *tls.Config) {
			server.Certificates = nil
		}, "unrecognized name", "no certificates configured"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server, client := p.configs(tls.VersionTLS13)
			tt.change(server, client)
			clientErr, serverErr := shake(t, server, client)
			assert.ErrorContains(t, clientErr, tt.wantClient)
			assert.ErrorContains(t, serverErr, tt.wantServer)
			assert.ErrorContains(t, serverErr, `tls: handshake as server`)
		})
	}
}

func TestServerTellsTheNameThatAFailedClientAskedFor(t *testing.T) {
	server, client := usualConfigs(t, tls.VersionTLS13)
	client.ServerName = "shop.example"
	_, err := shake(t, server, client)
	shaken, ok := errors.AsType[*tls.HandshakeError](err)
	require.True(t, ok, "%v", err)
	assert.True(t, shaken.Server)
	assert.Equal(t, "shop.example", shaken.ServerName)
}

func TestPlaintextPeerIsShownInTheError(t *testing.T) {
	server, client := usualConfigs(t, tls.VersionTLS13)
	handshakes := map[string]func(context.Context, stream.ByteStream) (*tls.Conn, error){
		"client": func(ctx context.Context, s stream.ByteStream) (*tls.Conn, error) {
			return tls.WrapClient(ctx, s, client, nil)
		},
		"server": func(ctx context.Context, s stream.ByteStream) (*tls.Conn, error) {
			return tls.WrapServer(ctx, s, server, nil)
		},
	}
	tests := []struct {
		name, sent, want string
	}{
		{"HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", `"GET / HTTP/1.1\r\n"`},
		{"a greeting", "220 mail\r\n", `"220 mail\r\n"`},
		{"zeros", "\x00\x00\x00\x00\x00\x00", `"\x00\x00\x00\x00\x00\x00"`},
		{"SSLv2", "\x80\x2e\x01\x00\x02\x00\x15\x00", `received "\x80.\x01\x00\x02\x00\x15\x00"`},
	}
	for role, handshake := range handshakes {
		for _, tt := range tests {
			t.Run(role+" "+tt.name, func(t *testing.T) {
				a, b := memory.Pipe(nil)
				defer b.Close()
				_, err := b.Send(t.Context(), []byte(tt.sent))
				require.NoError(t, err)
				_, err = handshake(t.Context(), a)
				require.ErrorContains(t, err, tt.want)
				_, ok := errors.AsType[cryptotls.RecordHeaderError](err)
				assert.True(t, ok, "%v", err)
				requireClosed(t, a)
			})
		}
	}
}

func TestGarbageInsideTheHandshakeIsAnError(t *testing.T) {
	server, _ := usualConfigs(t, tls.VersionTLS13)
	tests := map[string]string{
		"an oversized record":   "\x16\x03\x01\xff\xff" + string(make([]byte, 1000)),
		"an unknown message":    "\x16\x03\x01\x00\x04\x63\x00\x00\x00",
		"a ClientHello of junk": "\x16\x03\x01\x00\x08\x01\x00\x00\x04junk",
		"an early alert":        "\x15\x03\x01\x00\x02\x02\x28",
	}
	for name, sent := range tests {
		t.Run(name, func(t *testing.T) {
			a, b := memory.Pipe(nil)
			defer b.Close()
			_, err := b.Send(t.Context(), []byte(sent))
			require.NoError(t, err)
			_, err = tls.WrapServer(t.Context(), a, server, nil)
			_, ok := errors.AsType[*tls.HandshakeError](err)
			require.True(t, ok, "%v", err)
			requireClosed(t, a)
		})
	}
}

func TestPeerThatHangsUpBreaksTheHandshake(t *testing.T) {
	_, client := usualConfigs(t, tls.VersionTLS13)
	a, b := memory.Pipe(nil)
	require.NoError(t, b.Close())
	_, err := tls.WrapClient(t.Context(), a, client, nil)
	require.ErrorIs(t, err, stream.ErrBroken)
	requireClosed(t, a)

	a, b = memory.Pipe(nil)
	require.NoError(t, b.SendEOF(t.Context()))
	_, err = tls.WrapClient(t.Context(), a, client, nil)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorIs(t, err, stream.ErrBroken)
	b.Close()
}

func TestHandshakeWithASilentPeerEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := bubbleConfigs(t, tls.VersionTLS13)
		cause := errors.New("too slow")
		for _, buffer := range []int{0, -1} {
			for _, wrap := range []func(context.Context, stream.ByteStream) (*tls.Conn, error){
				func(ctx context.Context, s stream.ByteStream) (*tls.Conn, error) {
					return tls.WrapClient(ctx, s, client, nil)
				},
				func(ctx context.Context, s stream.ByteStream) (*tls.Conn, error) {
					return tls.WrapServer(ctx, s, server, nil)
				},
			} {
				a, b := memory.Pipe(&memory.Config{Buffer: buffer})
				start := time.Now()
				ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, cause)
				_, err := wrap(ctx, a)
				cancel()
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorIs(t, err, cause)
				require.Equal(t, 3*time.Second, time.Since(start))
				requireClosed(t, a)
				b.Close()
			}
		}
	})
}

// TestCanceledHandshakeClosesTheStream cancels a client and a server at every
// call that they make to their transports.
func TestCanceledHandshakeClosesTheStream(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			server, client := usualConfigs(t, v.version)
			server.ClientAuth = tls.RequestClientCert
			completed := 0
			for at := 1; completed < 2; at++ {
				require.Less(t, at, 100)
				completed = 0
				for _, cancelClient := range []bool{true, false} {
					a, b := memory.Pipe(nil)
					ctx, cancel := context.WithCancel(t.Context())
					var s, peer stream.ByteStream = &countdown{ByteStream: a, calls: at, zero: cancel}, b
					if !cancelClient {
						s, peer = a, &countdown{ByteStream: b, calls: at, zero: cancel}
					}
					c, p, err := wrap(ctx, s, peer, server, client, nil)
					if err == nil {
						completed++
						c.Close()
						p.Close()
					} else {
						require.ErrorIs(t, err, context.Canceled)
					}
					cancel()
					requireClosed(t, a)
					requireClosed(t, b)
				}
			}
		})
	}
}

// A countdown calls zero in the call with the given number.
type countdown struct {
	stream.ByteStream
	calls int
	zero  func()
}

func (s *countdown) count() {
	s.calls--
	if s.calls == 0 {
		s.zero()
	}
}

func (s *countdown) Receive(ctx context.Context, p []byte) (int, error) {
	s.count()
	return s.ByteStream.Receive(ctx, p)
}

func TestClientNeedsANameToVerify(t *testing.T) {
	a, b := memory.Pipe(nil)
	defer b.Close()
	_, err := tls.WrapClient(t.Context(), a, nil, nil)
	require.ErrorContains(t, err, "no name to verify: set Config.ServerName")
	requireClosed(t, a)
}

func TestServerNeedsAConfig(t *testing.T) {
	a, b := memory.Pipe(nil)
	defer b.Close()
	_, err := tls.WrapServer(t.Context(), a, nil, nil)
	require.ErrorContains(t, err, "a server needs a Config")
	requireClosed(t, a)
}

func TestNilStreamIsAnError(t *testing.T) {
	_, err := tls.WrapClient(t.Context(), nil, nil, nil)
	require.ErrorContains(t, err, "nil stream")
	_, err = tls.WrapServer(t.Context(), nil, nil, nil)
	require.ErrorContains(t, err, "nil stream")
	_, err = tls.UpgradeClient(t.Context(), nil, nil, nil)
	require.ErrorContains(t, err, "nil stream")
	_, err = tls.UpgradeServer(t.Context(), nil, nil, nil)
	require.ErrorContains(t, err, "nil stream")
}

// dialed is a stream that knows the name that was dialed.
type dialed struct {
	stream.ByteStream
	set *attr.Set
}

func (d *dialed) Attributes() *attr.Set { return d.set }

func dial(s stream.ByteStream, host string) stream.ByteStream {
	d := &dialed{ByteStream: s}
	d.set = attr.Define(attr.Value(sockattr.Host, func(*dialed) string { return host })).For(d, s)
	return d
}

func TestNameComesFromTheDialedHost(t *testing.T) {
	server, client := usualConfigs(t, tls.VersionTLS13)
	client.ServerName = ""
	for _, host := range []string{"localhost", "127.0.0.1", "::1%lo"} {
		a, b := memory.Pipe(nil)
		c, s, err := wrap(t.Context(), dial(a, host), b, server, client, nil)
		require.NoError(t, err, host)
		c.Close()
		s.Close()
	}
	a, b := memory.Pipe(nil)
	_, _, err := wrap(t.Context(), dial(a, "other.example"), b, server, client, nil)
	require.ErrorContains(t, err, `tls: handshake for "other.example"`)
}

func TestNilConfigVerifiesTheDialedHost(t *testing.T) {
	server, _ := usualConfigs(t, tls.VersionTLS13)
	a, b := memory.Pipe(nil)
	_, _, err := wrap(t.Context(), dial(a, "localhost"), b, server, nil, nil)
	_, ok := errors.AsType[x509.UnknownAuthorityError](err)
	require.True(t, ok, "%v", err)
}

func TestNamesInOtherScriptsGoThroughIDNA2008(t *testing.T) {
	p, err := usual()
	require.NoError(t, err)
	server, client := p.configs(tls.VersionTLS13)
	cert, err := p.ca.Issue(testpki.IDN)
	require.NoError(t, err)
	server.Certificates = []tls.Certificate{cert}
	client.ServerName = "faß.de"
	a, b := memory.Pipe(nil)
	c, s, err := wrap(t.Context(), a, b, server, client, nil)
	require.NoError(t, err)
	name, err := tls.ServerName.Get(s)
	require.NoError(t, err)
	assert.Equal(t, "xn--fa-hia.de", name)
	c.Close()
	s.Close()

	client.ServerName = "fass.de"
	a, b = memory.Pipe(nil)
	_, _, err = wrap(t.Context(), a, b, server, client, nil)
	require.ErrorContains(t, err, `"fass.de"`)

	client.ServerName = "ü b.example"
	a, b = memory.Pipe(nil)
	defer b.Close()
	_, err = tls.WrapClient(t.Context(), a, client, nil)
	require.ErrorContains(t, err, "idna")
	requireClosed(t, a)
}

func TestASCIINamesStayAsTheyAre(t *testing.T) {
	p, err := usual()
	require.NoError(t, err)
	server, client := p.configs(tls.VersionTLS13)
	cert, err := p.ca.Issue(testpki.Leaf{Names: []string{"a_b.example.com"}})
	require.NoError(t, err)
	server.Certificates = []tls.Certificate{cert}
	client.ServerName = "a_b.example.com"
	a, b := memory.Pipe(nil)
	c, s, err := wrap(t.Context(), a, b, server, client, nil)
	require.NoError(t, err)
	c.Close()
	s.Close()
}

func TestServerCallbacksSeeTheTransport(t *testing.T) {
	server, client := usualConfigs(t, tls.VersionTLS13)
	var remote net.Addr
	server.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		remote, _ = sockattr.RemoteAddr.Lookup(hello.Conn.(attr.Provider))
		assert.Equal(t, remote, hello.Conn.RemoteAddr())
		return nil, nil
	}
	a, b := memory.Pipe(nil)
	want, err := sockattr.RemoteAddr.Get(b)
	require.NoError(t, err)
	c, s, err := wrap(t.Context(), a, b, server, client, nil)
	require.NoError(t, err)
	assert.Equal(t, want, remote)
	c.Close()
	s.Close()
}

// TestSessionsAreResumed holds that the Config's ticket keys are not copied
// away.
func TestSessionsAreResumed(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			server, client := usualConfigs(t, v.version)
			client.ClientSessionCache = cryptotls.NewLRUClientSessionCache(1)
			for _, want := range []bool{false, true, true} {
				a, b := memory.Pipe(nil)
				c, s, err := wrap(t.Context(), a, b, server, client, nil)
				require.NoError(t, err)
				resumed, err := tls.DidResume.Get(c)
				require.NoError(t, err)
				assert.Equal(t, want, resumed)
				_, err = s.Send(t.Context(), []byte("x"))
				require.NoError(t, err)
				_, err = c.Receive(t.Context(), make([]byte, 1)) // and the ticket before it
				require.NoError(t, err)
				c.Close()
				s.Close()
			}
		})
	}
}

func TestRenegotiationIsRefused(t *testing.T) {
	server, client := usualConfigs(t, tls.VersionTLS12)
	client.Renegotiation = cryptotls.RenegotiateFreelyAsClient
	a, b := memory.Pipe(nil)
	c, s, err := wrap(t.Context(), a, b, server, client, nil)
	require.NoError(t, err)
	defer s.Close()
	defer c.Close()
	// With renegotiation crypto/tls refuses to export keys.
	export, err := tls.ExportKeyingMaterial.Get(c)
	require.NoError(t, err)
	_, err = export("EXPORTER-test", nil, 32)
	require.NoError(t, err)
}
