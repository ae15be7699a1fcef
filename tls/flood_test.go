package tls_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// TestHandshakeFloodDoesNotLockOut an honest client: 2,000 others stall in
// their handshake, half of them before they sent anything and half within the
// header of a record.
func TestHandshakeFloodDoesNotLockOut(t *testing.T) {
	const stalled = 2000
	p, err := usual()
	require.NoError(t, err)
	serverConfig, clientConfig := p.configs(tls.VersionTLS13)
	below, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	given := make(chan error, stalled)
	ln := tls.NewListener(below, serverConfig, &tls.Options{
		InFlight: 2 * stalled,
		OnError:  func(_ stream.ByteStream, err error) { given <- err },
	})
	defer ln.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	accepted := make(chan *tls.Conn, 1)
	go func() {
		s, err := ln.Accept(ctx)
		assert.NoError(t, err)
		accepted <- s
	}()
	addr, err := netconn.LocalAddrPort.Get(below)
	require.NoError(t, err)
	for i := range stalled {
		conn, err := net.Dial("tcp", addr.String())
		if err != nil {
			t.Skipf("no room for %d connections here: %v", stalled, err)
		}
		defer conn.Close()
		if i%2 == 0 {
			_, err = conn.Write([]byte{22, 3, 1})
			require.NoError(t, err)
		}
	}
	start := time.Now()
	soon, cancel := context.WithTimeout(ctx, 10*time.Second) // and the flood would stall for 30 s
	defer cancel()
	honest := &tls.Connector[*tcp.Conn]{Below: &tcp.Connector{Addr: addr.String()}, Config: clientConfig}
	c, err := honest.Connect(soon)
	require.NoError(t, err)
	s := <-accepted
	requireCarries(t, c, s, 100)
	t.Logf("served in %v", time.Since(start))
	require.NoError(t, c.Close())
	require.NoError(t, s.Close())
	require.Empty(t, given, "none was given up")
	require.NoError(t, ln.Close())
	require.Len(t, given, stalled, "closing the listener ends them all")
}
