package ctxio_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/ctxio"
)

func loopback(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	return ln
}

// opaque is a listener that cannot be waited for without accepting.
type opaque struct{ net.Listener }

// TestConnectionAcceptedAheadIsHandedOutOrClosed has Accept and Close meet
// where each may be the one to take it.
func TestConnectionAcceptedAheadIsHandedOutOrClosed(t *testing.T) {
	for range 200 {
		one, two := loopback(t), loopback(t)
		lns, err := ctxio.NewListeners([]net.Listener{opaque{one}, opaque{two}})
		require.NoError(t, err)
		accepted := make(chan net.Conn, 1)
		go func() {
			c, err := lns.Accept(context.Background())
			if err != nil {
				assert.ErrorIs(t, err, net.ErrClosed)
			}
			accepted <- c
		}()
		client, err := net.Dial("tcp", two.Addr().String())
		require.NoError(t, err)
		require.NoError(t, lns.Close())
		if c := <-accepted; c != nil {
			assert.NoError(t, c.SetDeadline(time.Time{}), "Close has closed it")
			c.Close()
		}
		client.Close()
	}
}
