package quic_test

import (
	cryptotls "crypto/tls"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// A ticketed cache tells when a session is in it.
type ticketed struct {
	tls.ClientSessionCache
	put chan struct{}
}

func (c *ticketed) Put(key string, s *cryptotls.ClientSessionState) {
	c.ClientSessionCache.Put(key, s)
	if s != nil {
		c.put <- struct{}{}
	}
}

// echoOnce answers a stream of the next connection.
func echoOnce(t *testing.T, ln *quic.Listener) *quic.Conn {
	t.Helper()
	server, err := ln.Accept(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	s, err := server.AcceptStream(t.Context())
	require.NoError(t, err)
	_, err = stream.Copy(t.Context(), s, s)
	require.NoError(t, err)
	require.NoError(t, s.SendEOF(t.Context()))
	return server
}

// sayOnce sends what on a new stream, and returns what comes back.
func sayOnce(t *testing.T, c *quic.Conn, what string) (string, error) {
	t.Helper()
	s, err := c.OpenStream(t.Context())
	if err != nil {
		return "", err
	}
	defer s.Close()
	if _, err := s.Send(t.Context(), []byte(what)); err != nil {
		return "", err
	}
	if err := s.SendEOF(t.Context()); err != nil {
		return "", err
	}
	got, err := io.ReadAll(stream.NewReader(t.Context(), s))
	return string(got), err
}

// dialing returns a listener and a connection to it that nobody has accepted.
func dialing(t *testing.T, serverTLS, clientTLS *tls.Config, server, client *quic.Config) (*quic.Listener, *quic.Conn) {
	t.Helper()
	ln, err := quic.Listen(t.Context(), "127.0.0.1:0", serverTLS, server)
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	c, err := quic.Dial(t.Context(), addrOf(ln), clientTLS, client)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return ln, c
}

// resuming gives clientTLS a session of the servers with serverTLS.
func resuming(t *testing.T, serverTLS, clientTLS *tls.Config, cfg *quic.Config) {
	t.Helper()
	cache := &ticketed{cryptotls.NewLRUClientSessionCache(8), make(chan struct{}, 8)}
	clientTLS.ClientSessionCache = cache
	ln, client := dialing(t, serverTLS, clientTLS, cfg, cfg)
	<-cache.put
	client.Close()
	ln.Close()
}

func TestEarlyDataIsOffUnlessAskedFor(t *testing.T) {
	serverTLS, clientTLS := tlsConfigs(t)
	resuming(t, serverTLS, clientTLS, nil)
	_, client := dialing(t, serverTLS, clientTLS, nil, nil)
	assert.True(t, get(t, tls.DidResume, client))
	assert.False(t, get(t, quic.EarlyData, client))
}

func TestEarlyDataIsSentWithTheHandshake(t *testing.T) {
	cfg := &quic.Config{EarlyData: true}
	serverTLS, clientTLS := tlsConfigs(t)
	resuming(t, serverTLS, clientTLS, cfg)
	ln, client := dialing(t, serverTLS, clientTLS, cfg, cfg)
	servers := make(chan *quic.Conn, 1)
	go func() { servers <- echoOnce(t, ln) }()
	got, err := sayOnce(t, client, "early")
	require.NoError(t, err)
	require.Equal(t, "early", got)
	for _, c := range []*quic.Conn{client, <-servers} {
		require.NoError(t, c.Handshake(t.Context()))
		assert.True(t, get(t, quic.EarlyData, c))
		assert.Equal(t, "strata-test", get(t, tls.ALPN, c))
	}
}

func TestEarlyDataThatIsRejectedBreaksItsStreams(t *testing.T) {
	cfg := &quic.Config{EarlyData: true}
	serverTLS, clientTLS := tlsConfigs(t)
	resuming(t, serverTLS, clientTLS, cfg)
	ln, client := dialing(t, serverTLS, clientTLS, nil, cfg) // whose server takes none
	_, err := sayOnce(t, client, "early")
	require.ErrorIs(t, err, quic.ErrEarlyDataRejected)
	require.ErrorIs(t, err, stream.ErrBroken)

	require.NoError(t, client.Handshake(t.Context()))
	assert.False(t, get(t, quic.EarlyData, client))
	done := make(chan struct{})
	go func() { defer close(done); echoOnce(t, ln) }()
	got, err := sayOnce(t, client, "late")
	require.NoError(t, err)
	require.Equal(t, "late", got)
	<-done
}

// quic-go answers by chance where the handshake is done and the connection at
// its end.
func TestHandshakeOfABrokenConnIsBrokenAlways(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		r.serve(nil)
		client, server := r.dial(nil)
		require.NoError(r, client.Handshake(r.Context()))
		require.NoError(r, server.Abort(quic.Code(7)))
		_, err := client.AcceptStream(r.Context())
		require.ErrorIs(r, err, quic.Code(7))
		for range 64 {
			require.ErrorIs(r, client.Handshake(r.Context()), stream.ErrBroken)
		}
	})
}
