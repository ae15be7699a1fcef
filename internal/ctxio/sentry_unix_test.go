//go:build unix

package ctxio_test

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/ctxio"
)

// TestSentryWaitsForConnectionsAndTakesNone holds that it has no other way to
// return than these: a wait that fails would be one try after the other.
func TestSentryWaitsForConnectionsAndTakesNone(t *testing.T) {
	unixLn, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	require.NoError(t, err)
	defer unixLn.Close()
	for _, ln := range []net.Listener{loopback(t), unixLn} {
		t.Run(ln.Addr().Network(), func(t *testing.T) {
			wait, end, err := ctxio.NewSentry(ln)
			require.NoError(t, err)
			waited := make(chan error, 1)
			go func() { waited <- wait() }()
			c, err := net.Dial(ln.Addr().Network(), ln.Addr().String())
			require.NoError(t, err)
			defer c.Close()
			require.NoError(t, <-waited)
			require.NoError(t, wait(), "it is still there")
			peer, err := ln.Accept()
			require.NoError(t, err)
			defer peer.Close()
			go func() { waited <- wait() }() // there is nothing any more
			require.NoError(t, end())
			require.ErrorContains(t, <-waited, "closed")
		})
	}
}

func TestShortageOfDescriptorsClosesTheListeners(t *testing.T) {
	lns := []net.Listener{loopback(t), loopback(t)}
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	short := limit
	short.Cur = 3 // which are in use
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &short))
	_, err := ctxio.NewListeners(lns)
	assert.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	require.ErrorIs(t, err, syscall.EMFILE)
	for _, ln := range lns {
		_, err := ln.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
	}
}
