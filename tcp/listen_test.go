package tcp_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/tcp"
)

func TestListenRefusesWhatIsNoAddress(t *testing.T) {
	tests := []struct{ name, addr, want string }{
		{"empty", "", "empty address"},
		{"no port", "127.0.0.1", "missing port"},
		{"port out of range", "127.0.0.1:65536", "invalid port"},
		{"not ours", "192.0.2.1:0", "192.0.2.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tcp.Listen(t.Context(), tt.addr, nil)
			assert.ErrorContains(t, err, tt.want)
			assert.ErrorContains(t, err, "listen")
			assert.ErrorContains(t, err, "tcp")
		})
	}
}

func TestListenUnderADoneContextOpensNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestAddressIsFreeWhenCloseReturns(t *testing.T) {
	addr := addrOf(listen(t, nil))
	_, err := tcp.Listen(t.Context(), addr, nil)
	require.Error(t, err, "it is taken")
	for range 2 {
		addr := free(t)
		ln, err := tcp.Listen(t.Context(), addr, nil)
		require.NoError(t, err)
		waiting := make(chan error, 1)
		go func() {
			_, err := ln.Accept(context.Background())
			waiting <- err
		}()
		require.NoError(t, ln.Close())
		again, err := tcp.Listen(t.Context(), addr, nil)
		require.NoError(t, err)
		require.NoError(t, again.Close())
		assert.ErrorIs(t, <-waiting, net.ErrClosed)
	}
}

func TestAcceptAfterCloseIsErrClosed(t *testing.T) {
	ln := listen(t, nil)
	require.NoError(t, ln.Close())
	require.NoError(t, ln.Close(), "again")
	_, err := ln.Accept(t.Context())
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestSeveralMayAcceptAtOnce(t *testing.T) {
	const n = 16
	ln := listen(t, nil)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			c, err := ln.Accept(t.Context())
			if assert.NoError(t, err) {
				c.Close()
			}
		})
	}
	for range n {
		c, err := tcp.Dial(t.Context(), addrOf(ln), nil)
		require.NoError(t, err)
		defer c.Close()
	}
	wg.Wait()
}
