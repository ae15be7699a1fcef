package netconn_test

import (
	"context"
	cryptotls "crypto/tls"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
)

// bubbleTLS returns crypto/tls over net.Pipe, for a bubble whose clock the
// certificates must be made by.
func bubbleTLS(t *testing.T) (a, b *cryptotls.Conn) {
	t.Helper()
	ca, err := testpki.New(time.Now())
	require.NoError(t, err)
	cert, err := ca.Issue(testpki.Server)
	require.NoError(t, err)
	below, beside := net.Pipe()
	a = cryptotls.Client(below, &cryptotls.Config{RootCAs: ca.Pool(), ServerName: "localhost"})
	// Tickets would wait for a client that reads.
	b = cryptotls.Server(beside, &cryptotls.Config{
		Certificates: []cryptotls.Certificate{cert}, SessionTicketsDisabled: true,
	})
	done := make(chan error, 1)
	go func() { done <- b.HandshakeContext(t.Context()) }()
	require.NoError(t, a.HandshakeContext(t.Context()))
	require.NoError(t, <-done)
	return a, b
}

func TestCloseOfForeignTLSWaitsForNoPeerLongerThanItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := bubbleTLS(t)
		defer b.NetConn().Close()
		s := netconn.Wrap(a)
		start := time.Now()
		require.NoError(t, s.Close()) // its close_notify waits for a peer that does not read
		assert.Equal(t, 100*time.Millisecond, time.Since(start))
		_, err := s.Receive(t.Context(), make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestCanceledSendBreaksForeignTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := bubbleTLS(t)
		defer b.NetConn().Close()
		s := netconn.Wrap(a)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Send(ctx, []byte("nobody reads this"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = s.Send(t.Context(), []byte("x"))
		require.ErrorIs(t, err, stream.ErrBroken)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		_, err = s.Receive(t.Context(), make([]byte, 1))
		require.ErrorIs(t, err, stream.ErrBroken)
		require.NoError(t, s.Close())
	})
}
