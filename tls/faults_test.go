package tls_test

import (
	"context"
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
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// TestRecordsThatNobodySendsBreakTheSession, and only that: what came before them is
// received.
func TestRecordsThatNobodySendsBreakTheSession(t *testing.T) {
	tests := []struct {
		name    string
		records func(p *rawPeer) [][]byte
		want    string
	}{
		{"10,000 empty ones", func(p *rawPeer) [][]byte {
			var all [][]byte
			for range 10_000 {
				all = append(all, p.seal(typeData, nil))
			}
			return all
		}, "too many ignored records"},
		{"too large", func(*rawPeer) [][]byte {
			return [][]byte{append([]byte{typeData, 3, 3, 0xff, 0xff}, make([]byte, 100)...)}
		}, "oversized record"},
		{"a plaintext too large", func(p *rawPeer) [][]byte {
			return [][]byte{p.seal(typeData, make([]byte, 16<<10+1))}
		}, "record overflow"},
		{"of another version", func(*rawPeer) [][]byte {
			return [][]byte{{typeData, 2, 0, 0, 1, 0}}
		}, "record with version 200"},
		{"of no type", func(p *rawPeer) [][]byte { return [][]byte{p.seal(99, []byte("x"))} }, "unexpected message"},
		{"plaintext", func(*rawPeer) [][]byte { return [][]byte{[]byte("HTTP/1.1 200 OK\r\n\r\n")} }, ""},
		{"a ClientHello", func(p *rawPeer) [][]byte {
			return [][]byte{p.seal(typeHandshake, append([]byte{1, 0, 0, 40}, make([]byte, 40)...))}
		}, ""},
		{"a HelloRequest", func(p *rawPeer) [][]byte { return [][]byte{p.seal(typeHandshake, []byte{0, 0, 0, 0})} }, ""},
		{"half a message and then data", func(p *rawPeer) [][]byte {
			return [][]byte{p.seal(typeHandshake, []byte{24, 0}), p.seal(typeData, []byte("x"))}
		}, ""},
		{"a fatal alert", func(p *rawPeer) [][]byte { return [][]byte{p.seal(typeAlert, []byte{2, 80})} }, "remote error: tls: internal error"},
	}
	for _, role := range []string{"client", "server"} {
		for _, tt := range tests {
			t.Run(role+" "+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, p := newRawPeerOf(t, role, &memory.Config{Buffer: 1 << 20}, nil)
					defer s.Close()
					defer p.s.Close()
					p.send(p.seal(typeData, []byte("part")))
					p.send(tt.records(p)...)
					require.Equal(t, "part", string(receiveExactly(t, t.Context(), s, 4)))
					n, err := s.Receive(t.Context(), make([]byte, 100))
					require.ErrorIs(t, err, stream.ErrBroken)
					require.ErrorContains(t, err, tt.want)
					require.Zero(t, n)
				})
			})
		}
	}
}

// TestEmptyRecordsBetweenOthersHarmNothing, however many they are.
func TestEmptyRecordsBetweenOthersHarmNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newRawPeer(t, nil, nil)
		defer s.Close()
		defer p.s.Close()
		for i := range 1000 {
			for range 10 {
				p.send(p.seal(typeData, nil))
			}
			p.send(p.seal(typeData, pattern(i, 1)))
			require.Equal(t, pattern(i, 1), receiveExactly(t, t.Context(), s, 1))
		}
	})
}

// garbage is what clients of a TLS port say that do not want TLS.
var garbage = map[string]string{
	"HTTP":               "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"SSLv2":              "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10",
	"an oversize record": "\x16\x03\x01\xff\xff" + string(make([]byte, 2000)),
	"an empty record":    "\x16\x03\x01\x00\x00\x16\x03\x01\x00\x00",
	"an early session":   "\x17\x03\x03\x00\x20" + string(make([]byte, 32)),
	"zeros":              string(make([]byte, 600)),
	"a cut ClientHello":  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	"nothing":            "",
}

// TestGarbageEndsItsConnectionAlone over sockets: each is told once, and a client in
// between all of it is served.
func TestGarbageEndsItsConnectionAlone(t *testing.T) {
	ln, addr, failed, connector := listenTCP(t, tls.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for name, said := range garbage {
		for _, reset := range []bool{false, true} {
			conn, err := net.Dial("tcp", addr)
			require.NoError(t, err)
			_, err = conn.Write([]byte(said))
			require.NoError(t, err)
			if reset {
				require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
			}
			requireServed(t, ctx, ln, connector)
			require.NoError(t, conn.Close())
			_, ok := errors.AsType[*tls.HandshakeError](<-failed.errs)
			require.True(t, ok, name)
			require.Equal(t, conn.LocalAddr().String(), (<-failed.from).String())
		}
	}
	require.Empty(t, failed.errs, "each is told once")
}

// TestSlowLorisIsGivenUp sends a ClientHello at one byte a second: it holds up nobody,
// and its time ends as that of one who says nothing.
func TestSlowLorisIsGivenUp(t *testing.T) {
	hello := clientHello(t)
	synctest.Test(t, func(t *testing.T) {
		serverConfig, clientConfig := bubbleConfigs(t, tls.VersionTLS13)
		failed := newFailures()
		below := memory.Listen(nil)
		ln := tls.NewListener(below, serverConfig, &tls.Options{OnError: failed.onError})
		defer ln.Close()
		loris, err := below.Connect(t.Context())
		require.NoError(t, err)
		defer loris.Close()
		serve(t, ln, below, clientConfig)
		start := time.Now()
		for _, octet := range hello {
			if _, err := loris.Send(t.Context(), []byte{octet}); err != nil {
				break
			}
			before := time.Now()
			serve(t, ln, below, clientConfig)
			require.Zero(t, time.Since(before))
			<-time.After(time.Second)
		}
		require.ErrorIs(t, <-failed.errs, context.DeadlineExceeded)
		require.InDelta(t, 30, time.Since(start).Seconds(), 1)
	})
}

// TestTransportsOfAllManners carries sessions over transports that behave as oddly as a
// transport may, and a little more.
func TestTransportsOfAllManners(t *testing.T) {
	manners := map[string]func(stream.ByteStream) stream.ByteStream{
		"one byte at a time":    func(s stream.ByteStream) stream.ByteStream { return &single{stream.Wrapper{ByteStream: s}} },
		"an error with a count": func(s stream.ByteStream) stream.ByteStream { return &eager{stream.Wrapper{ByteStream: s}} },
	}
	for _, transport := range transports {
		for _, v := range versions {
			for name, odd := range manners {
				t.Run(transport.name+" "+v.name+" "+name, func(t *testing.T) {
					server, client := usualConfigs(t, v.version)
					a, b := transport.pipe(t)
					c, s, err := wrap(t.Context(), odd(a), odd(b), server, client, nil)
					require.NoError(t, err)
					defer s.Close()
					defer c.Close()
					requireCarries(t, c, s, 20_000)
					requireCarries(t, s, c, 20_000)
					_, err = s.Send(t.Context(), []byte("last"))
					require.NoError(t, err)
					require.NoError(t, s.SendEOF(t.Context()))
					require.NoError(t, b.SendEOF(t.Context()))
					require.Equal(t, "last", string(receiveExactly(t, t.Context(), c, 4)))
					_, err = c.Receive(t.Context(), make([]byte, 1))
					require.Equal(t, io.EOF, err)
				})
			}
		}
	}
}

// A single stream sends and receives one byte at a time.
type single struct{ stream.Wrapper }

func (s *single) Send(ctx context.Context, p []byte) (sent int, err error) {
	for sent < len(p) && err == nil {
		var n int
		n, err = s.ByteStream.Send(ctx, p[sent:sent+1])
		sent += n
	}
	return sent, err
}

func (s *single) Receive(ctx context.Context, p []byte) (int, error) {
	return s.ByteStream.Receive(ctx, p[:1])
}

// An eager stream speaks of an end with whatever it returns, which stream's contract
// forbids and io.Reader allows.
type eager struct{ stream.Wrapper }

func (e *eager) Receive(ctx context.Context, p []byte) (int, error) {
	n, err := e.ByteStream.Receive(ctx, p)
	if n > 0 {
		err = io.EOF
	}
	return n, err
}

func TestTransportThatIsClosedDuringTheHandshakeEndsIt(t *testing.T) {
	for _, transport := range transports {
		server, client := usualConfigs(t, tls.VersionTLS13)
		for role, handshake := range map[string]func(stream.ByteStream) (*tls.Conn, error){
			"client": func(s stream.ByteStream) (*tls.Conn, error) { return tls.WrapClient(t.Context(), s, client, nil) },
			"server": func(s stream.ByteStream) (*tls.Conn, error) { return tls.WrapServer(t.Context(), s, server, nil) },
		} {
			a, b := transport.pipe(t)
			receiving := make(chan struct{})
			told := &countdown{ByteStream: a, calls: 1, zero: func() { close(receiving) }}
			done := make(chan error, 1)
			go func() {
				_, err := handshake(told)
				done <- err
			}()
			<-receiving
			for range 2 {
				go a.Close()
			}
			require.NoError(t, a.Close())
			err := <-done
			_, ok := errors.AsType[*tls.HandshakeError](err)
			require.True(t, ok, "%s: %v", role, err)
			require.ErrorIs(t, err, net.ErrClosed)
			require.NoError(t, b.Close())
		}
	}
}

// TestCloseOverASocketDoesNotWaitForThePeer which receives nothing, with a Send in
// progress and without.
func TestCloseOverASocketDoesNotWaitForThePeer(t *testing.T) {
	for _, v := range versions {
		server, client := usualConfigs(t, v.version)
		a, b := transports[1].pipe(t)
		c, s, err := wrap(t.Context(), a, b, server, client, nil)
		require.NoError(t, err)
		sent := make(chan error, 1)
		go func() {
			_, err := c.Send(t.Context(), make([]byte, 64<<20))
			sent <- err
		}()
		received := make(chan error, 1)
		go func() {
			_, err := c.Receive(t.Context(), make([]byte, 1))
			received <- err
		}()
		require.NoError(t, s.WaitReceive(t.Context()))
		closed := make(chan error, 3)
		for range 3 {
			go func() { closed <- c.Close() }()
		}
		for range 3 {
			require.NoError(t, <-closed)
		}
		require.ErrorIs(t, <-sent, net.ErrClosed)
		require.ErrorIs(t, <-received, net.ErrClosed)
		require.NoError(t, s.Close())
	}
}

// TestHalfClosedSessionCarriesTheOtherWay in every order of ends, over sockets.
func TestHalfClosedSessionCarriesTheOtherWay(t *testing.T) {
	const size = 4 << 20
	for _, v := range versions {
		for _, clientFirst := range []bool{true, false} {
			server, client := usualConfigs(t, v.version)
			a, b := transports[1].pipe(t)
			x, y, err := wrap(t.Context(), a, b, server, client, nil)
			require.NoError(t, err)
			if !clientFirst {
				x, y = y, x
			}
			require.NoError(t, x.SendEOF(t.Context()))
			_, err = y.Receive(t.Context(), make([]byte, 1))
			require.Equal(t, io.EOF, err)
			requireCarries(t, y, x, size)
			require.NoError(t, y.SendEOF(t.Context()))
			_, err = x.Receive(t.Context(), make([]byte, 1))
			require.Equal(t, io.EOF, err)
			require.NoError(t, x.Close())
			require.NoError(t, y.Close())
		}
	}
}

func TestExpiredClientCertificateIsToldByBoth(t *testing.T) {
	p, err := usual()
	require.NoError(t, err)
	for _, v := range versions {
		server, client := p.configs(v.version)
		expired, err := p.ca.Issue(testpki.Leaf{Names: []string{"late.example"}, Client: true, Ends: -time.Hour})
		require.NoError(t, err)
		server.ClientAuth, server.ClientCAs = tls.RequireAndVerifyClientCert, p.ca.Pool()
		client.Certificates = []tls.Certificate{expired}
		clientErr, serverErr := shake(t, server, client)
		assert.ErrorContains(t, clientErr, "expired certificate")
		invalid, ok := errors.AsType[x509.CertificateInvalidError](serverErr)
		require.True(t, ok, "%v", serverErr)
		assert.Equal(t, x509.Expired, invalid.Reason)
	}
}

func TestNameThatTheClientDoesNotSendIsAbsent(t *testing.T) {
	server, client := usualConfigs(t, tls.VersionTLS13)
	client.ServerName, client.InsecureSkipVerify = "", true
	a, b := memory.Pipe(nil)
	c, s, err := wrap(t.Context(), a, b, server, client, nil)
	require.NoError(t, err)
	_, err = tls.ServerName.Get(s)
	require.ErrorIs(t, err, attr.ErrNotFound)
	require.NoError(t, c.Close())
	require.NoError(t, s.Close())
}
