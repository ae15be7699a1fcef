package tls_test

import (
	"bytes"
	"context"
	cryptotls "crypto/tls"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/tls"
)

// TestLockstep holds that two ends which send at the same time over a
// transport without any buffer do not wait for each other: in a handshake each
// receives while it sends.
func TestLockstep(t *testing.T) {
	authentications := map[string]tls.ClientAuthType{
		"":                          tls.NoClientCert,
		" with client certificates": tls.RequireAnyClientCert,
	}
	for _, v := range versions {
		for name, auth := range authentications {
			t.Run(v.name+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server, client := bubbleConfigs(t, v.version)
					p, err := bubble()
					require.NoError(t, err)
					client.Certificates = []tls.Certificate{p.client}
					server.ClientAuth = auth
					a, b := memory.Pipe(&memory.Config{Buffer: -1})
					c, s, err := wrap(t.Context(), a, b, server, client, nil)
					require.NoError(t, err)
					for _, x := range [][2]*tls.Conn{{c, s}, {s, c}, {c, s}} {
						requireCarries(t, x[0], x[1], 100_000)
					}
					// Here SendEOF waits for the peer to receive.
					ended := make(chan error, 1)
					go func() { ended <- c.SendEOF(t.Context()) }()
					_, err = s.Receive(t.Context(), make([]byte, 1))
					require.Equal(t, io.EOF, err)
					require.NoError(t, <-ended)
					requireCarries(t, s, c, 1)
					closed := make(chan error, 1)
					go func() { closed <- s.Close() }()
					_, err = c.Receive(t.Context(), make([]byte, 1))
					require.Equal(t, io.EOF, err)
					require.NoError(t, <-closed)
					require.NoError(t, c.Close())
				})
			})
		}
	}
}

// TestLockstepWithCryptoTLS does the same with crypto/tls on the other side,
// which sends and receives in turn.
func TestLockstepWithCryptoTLS(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name+" client", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := bubbleConfigs(t, v.version)
				a, b := net.Pipe()
				peer := cryptotls.Server(b, server)
				shaken := make(chan error, 1)
				go func() { shaken <- peer.Handshake() }()
				c, err := tls.WrapClient(t.Context(), &sipping{netconn.Wrap(a)}, client, nil)
				require.NoError(t, err)
				require.NoError(t, <-shaken)
				requireEcho(t, c, peer)
			})
		})
		t.Run(v.name+" server", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := bubbleConfigs(t, v.version)
				a, b := net.Pipe()
				peer := cryptotls.Client(a, client)
				shaken := make(chan error, 1)
				go func() { shaken <- peer.Handshake() }()
				s, err := tls.WrapServer(t.Context(), &sipping{netconn.Wrap(b)}, server, nil)
				require.NoError(t, err)
				require.NoError(t, <-shaken)
				requireEcho(t, s, peer)
			})
		})
	}
}

// A sipping stream receives little at a time, so that it never takes more from
// the wire than it was asked for.
type sipping struct{ stream.ByteStream }

func (s *sipping) Receive(ctx context.Context, p []byte) (int, error) {
	return s.ByteStream.Receive(ctx, p[:min(len(p), 20)])
}

// requireEcho sends to peer, wants it back and closes both.
func requireEcho(t *testing.T, c *tls.Conn, peer net.Conn) {
	t.Helper()
	echoed := make(chan error, 1)
	go func() {
		buf := make([]byte, 4)
		_, err := io.ReadFull(peer, buf)
		if err == nil {
			_, err = peer.Write(buf)
		}
		echoed <- err
	}()
	_, err := c.Send(t.Context(), []byte("ping"))
	require.NoError(t, err)
	buf := make([]byte, 10)
	n, err := c.Receive(t.Context(), buf)
	require.NoError(t, err)
	require.Equal(t, "ping", string(buf[:n]))
	require.NoError(t, <-echoed)
	go io.Copy(io.Discard, peer) // so that close_notify finds a taker; ends at EOF
	require.NoError(t, c.Close())
	synctest.Wait()
	_ = peer.Close() // its close_notify finds nobody
}

// requireCarries sends n bytes from one end to the other.
func requireCarries(t *testing.T, from, to stream.ByteStream, n int) {
	t.Helper()
	sent := make(chan error, 1)
	data := pattern(0, n)
	go func() {
		_, err := from.Send(t.Context(), data)
		sent <- err
	}()
	require.Equal(t, data, receiveExactly(t, t.Context(), to, n))
	require.NoError(t, <-sent)
}

// pattern is a piece of a sequence in which every position shows.
func pattern(from, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		at := from + i
		p[i] = byte(at) ^ byte(at>>8)*3 ^ byte(at>>16)*7
	}
	return p
}

func receiveExactly(t *testing.T, ctx context.Context, s stream.ByteReceiver, n int) []byte {
	t.Helper()
	var got bytes.Buffer
	p := make([]byte, n+1)
	for got.Len() < n {
		m, err := s.Receive(ctx, p[:min(len(p), n-got.Len()+1)])
		require.NoError(t, err)
		got.Write(p[:m])
	}
	return got.Bytes()
}
