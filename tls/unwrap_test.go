package tls_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// TestUnwrapGivesTheTransportBack ends sessions on one transport, one after
// the other, with plaintext right behind each close_notify. The transport may be
// another session.
func TestUnwrapGivesTheTransportBack(t *testing.T) {
	pipes := map[string]func(*testing.T, uint16) (a, b stream.ByteStream){
		"memory": func(*testing.T, uint16) (a, b stream.ByteStream) { return memoryPipe() },
		"TLS":    func(t *testing.T, version uint16) (a, b stream.ByteStream) { return pair(t, version, nil, nil) },
	}
	for _, v := range versions {
		for name, pipe := range pipes {
			t.Run(v.name+" over "+name, func(t *testing.T) {
				serverConfig, clientConfig := usualConfigs(t, v.version)
				below, above := pipe(t, v.version)
				for range 3 {
					c, s, err := wrap(t.Context(), below, above, serverConfig, clientConfig, nil)
					require.NoError(t, err)
					requireCarries(t, c, s, 50_000)
					requireCarries(t, s, c, 50_000)
					require.NoError(t, c.SendEOF(t.Context()))
					_, err = below.Send(t.Context(), []byte("plaintext from the client"))
					require.NoError(t, err)
					server, err := s.Unwrap(t.Context())
					require.NoError(t, err)
					_, err = server.Send(t.Context(), []byte("plaintext from the server"))
					require.NoError(t, err)
					client, err := c.Unwrap(t.Context())
					require.NoError(t, err)
					require.Equal(t, "plaintext from the client", string(receiveExactly(t, t.Context(), server, 25)))
					require.Equal(t, "plaintext from the server", string(receiveExactly(t, t.Context(), client, 25)))
					requireCarries(t, client, server, 10)

					_, err = c.Send(t.Context(), []byte("x"))
					require.ErrorIs(t, err, net.ErrClosed)
					_, err = c.Unwrap(t.Context())
					require.ErrorIs(t, err, net.ErrClosed)
					require.NoError(t, c.Close())
					requireCarries(t, server, client, 10)
					below, above = client, server
				}
				require.NoError(t, below.Close())
				require.NoError(t, above.Close())
			})
		}
	}
}

func TestUnwrapTakesNothingFromTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _, _ := ends(t, tls.VersionTLS13, nil)
		defer s.Close()
		defer c.Close()
		_, err := s.Send(t.Context(), []byte("wait"))
		require.NoError(t, err)
		for range 2 {
			_, err = c.Unwrap(t.Context())
			require.ErrorIs(t, err, tls.ErrUnreceived)
		}
		require.Equal(t, "wait", string(receiveExactly(t, t.Context(), c, 4)))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = c.Unwrap(ctx) // the peer does not end its direction
		require.True(t, errors.Is(err, context.DeadlineExceeded), "%v", err)
		requireCarries(t, s, c, 10)
		require.NoError(t, s.SendEOF(t.Context()))
		b, err := c.Unwrap(t.Context())
		require.NoError(t, err)
		require.NoError(t, b.Close())
	})
}

func TestUnwrapOfATruncatedSessionIsBroken(t *testing.T) {
	c, s, _, b := ends(t, tls.VersionTLS12, nil)
	defer s.Close()
	require.NoError(t, b.SendEOF(t.Context()))
	_, err := c.Unwrap(t.Context())
	require.ErrorIs(t, err, stream.ErrBroken)
	require.NoError(t, c.Close())
}
