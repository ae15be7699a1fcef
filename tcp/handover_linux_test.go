package tcp_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/tcp"
)

// successors returns listeners on the sockets of ln, as another process has
// them after a handover.
func successors(t *testing.T, ln *tcp.Listener) (lns []*tcp.Listener) {
	t.Helper()
	for raw, err := range tcp.RawConn.All(ln) {
		require.NoError(t, err)
		fd := dup(t, raw)
		s, err := tcp.ListenerFromFD(uintptr(fd))
		require.NoError(t, err)
		t.Cleanup(func() { s.Close() })
		lns = append(lns, s)
	}
	return lns
}

func TestWhatNobodyAcceptedIsTheSuccessors(t *testing.T) {
	ln, err := named(t, tcp.ListenConfig{})
	require.NoError(t, err)
	lns := successors(t, ln)
	require.Len(t, lns, 2)
	dialEach(t, ln, 3)
	c, err := ln.Accept(t.Context()) // the sockets are watched from here on
	require.NoError(t, err)
	defer c.Close()
	from, err := tcp.LocalAddrPort.Get(c)
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	for _, s := range lns { // who would wait for ever for one that was taken ahead
		left := 3
		if addrsOf(t, s)[0] == from {
			left--
		}
		for range left {
			c, err := s.Accept(t.Context())
			require.NoError(t, err)
			require.NoError(t, c.Close())
		}
	}
}

func TestConnectionThatAnotherProcessTookHoldsUpNobody(t *testing.T) {
	ln, err := named(t, tcp.ListenConfig{})
	require.NoError(t, err)
	thief := successors(t, ln)[0] // of the first socket
	for range 20 {
		waiting := make(chan error, 1)
		go func() {
			c, err := ln.Accept(t.Context())
			if err == nil {
				err = c.Close()
			}
			waiting <- err
		}()
		// Both of them want what comes to the first socket. One gets it, and the
		// other one what comes after that, if by way of the second socket.
		c, err := tcp.Dial(t.Context(), addrsOf(t, ln)[0].String(), nil)
		require.NoError(t, err)
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		stolen, err := thief.Accept(ctx)
		cancel()
		if err == nil {
			require.NoError(t, stolen.Close())
			second, err := tcp.Dial(t.Context(), addrsOf(t, ln)[1].String(), nil)
			require.NoError(t, err)
			defer second.Close()
		}
		require.NoError(t, <-waiting)
	}
}
