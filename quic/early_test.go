package quic_test

import (
	cryptotls "crypto/tls"
	"io"
	"testing"
	"time"

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

// resuming gives the client a session of the server, which is then closed.
func (r *rig) resuming(cfg *quic.Config) {
	r.Helper()
	cache := &ticketed{cryptotls.NewLRUClientSessionCache(8), make(chan struct{}, 8)}
	r.tls[1].ClientSessionCache = cache
	r.serve(cfg)
	client, _ := r.dial(cfg)
	<-cache.put
	require.NoError(r, client.Close())
	require.NoError(r, r.server.Close())
}

// early dials, which takes no time, and says something on a new stream.
func (r *rig) early(cfg *quic.Config) (*quic.Conn, *quic.Stream) {
	r.Helper()
	start := time.Now()
	client, err := r.client.Dial(r.Context(), r.addr(), r.tls[1], cfg)
	require.NoError(r, err)
	s, err := client.OpenStream(r.Context())
	require.NoError(r, err)
	_, err = s.Send(r.Context(), []byte("early"))
	require.NoError(r, err)
	require.NoError(r, s.SendEOF(r.Context()))
	assert.Zero(r, time.Since(start))
	_, known := tls.ALPN.Lookup(client)
	assert.False(r, known, "before the handshake")
	return client, s
}

// heard returns all that comes on s.
func (r *rig) heard(s stream.ByteReceiver) string {
	r.Helper()
	got, err := io.ReadAll(stream.NewReader(r.Context(), s))
	require.NoError(r, err)
	return string(got)
}

func TestEarlyDataIsOffUnlessAskedFor(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		r.resuming(nil)
		r.serve(nil)
		client, _ := r.dial(nil)
		assert.True(r, get(r.T, tls.DidResume, client))
		assert.False(r, get(r.T, quic.EarlyData, client))
	})
}

func TestEarlyDataIsSentWithTheHandshake(t *testing.T) {
	cfg := &quic.Config{EarlyData: true}
	inFakeTime(t, func(r *rig) {
		r.resuming(cfg)
		r.serve(cfg)
		start := time.Now()
		client, a := r.early(cfg)
		server, err := r.listener.Accept(r.Context())
		require.NoError(r, err)
		b, err := server.AcceptStream(r.Context())
		require.NoError(r, err)
		assert.Equal(r, "early", r.heard(b))
		assert.Equal(r, delay, time.Since(start), "half a round trip")
		_, err = b.Send(r.Context(), []byte("answer"))
		require.NoError(r, err)
		require.NoError(r, b.SendEOF(r.Context()))
		assert.Equal(r, "answer", r.heard(a))
		assert.Equal(r, 2*delay, time.Since(start))
		for _, c := range []*quic.Conn{client, server} {
			require.NoError(r, c.Handshake(r.Context()))
			assert.True(r, get(r.T, quic.EarlyData, c))
			assert.Equal(r, "strata-test", get(r.T, tls.ALPN, c))
		}
	})
}

func TestEarlyDataThatIsRejectedBreaksItsStreams(t *testing.T) {
	cfg := &quic.Config{EarlyData: true}
	inFakeTime(t, func(r *rig) {
		r.resuming(cfg)
		r.serve(nil) // which takes none
		client, s := r.early(cfg)
		requireBroken(r, receive(s)(r.Context()), quic.ErrEarlyDataRejected)
		_, err := client.OpenStream(r.Context())
		requireBroken(r, err, quic.ErrEarlyDataRejected)

		require.NoError(r, client.Handshake(r.Context()))
		assert.False(r, get(r.T, quic.EarlyData, client))
		server, err := r.listener.Accept(r.Context())
		require.NoError(r, err)
		r.stream(client, server) // which works again
	})
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
