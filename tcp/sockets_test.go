package tcp_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
)

// dialEach connects to every socket of ln, n times.
func dialEach(t *testing.T, ln *tcp.Listener, n int) {
	t.Helper()
	for range n {
		for _, a := range addrsOf(t, ln) {
			c, err := tcp.Dial(t.Context(), a.String(), nil)
			require.NoError(t, err)
			t.Cleanup(func() { c.Close() })
		}
	}
}

func TestEachSocketIsAcceptedFrom(t *testing.T) {
	ln, err := named(t, tcp.ListenConfig{})
	require.NoError(t, err)
	dialEach(t, ln, 4)
	from := map[string]int{}
	for range 8 {
		c, err := ln.Accept(t.Context())
		require.NoError(t, err)
		defer c.Close()
		local, err := tcp.LocalAddrPort.Get(c)
		require.NoError(t, err)
		from[local.Addr().String()]++
	}
	assert.Equal(t, map[string]int{"127.0.0.1": 4, "::1": 4}, from)
}

func TestManyMayAcceptFromSeveralSockets(t *testing.T) {
	ln, err := named(t, tcp.ListenConfig{})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			c, err := ln.Accept(t.Context())
			if assert.NoError(t, err) {
				c.Close()
			}
		})
	}
	dialEach(t, ln, 8)
	wg.Wait()
}

func TestCanceledAcceptHasTakenNothingFromAnySocket(t *testing.T) {
	ln, err := named(t, tcp.ListenConfig{})
	require.NoError(t, err)
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan *tcp.Conn, 1)
		go func() {
			c, _ := ln.Accept(ctx)
			ended <- c
		}()
		go cancel()
		dialEach(t, ln, 1)
		left := 2
		if c := <-ended; c != nil {
			c.Close()
			left--
		}
		for range left {
			c, err := ln.Accept(t.Context())
			require.NoError(t, err)
			c.Close()
		}
	}
}

func TestCloseOfSeveralSocketsWakesAcceptAndFreesThePort(t *testing.T) {
	ln, err := named(t, tcp.ListenConfig{})
	require.NoError(t, err)
	waiting := make(chan error, 1)
	go func() {
		_, err := ln.Accept(context.Background())
		waiting <- err
	}()
	require.NoError(t, ln.Close())
	require.ErrorIs(t, <-waiting, net.ErrClosed)
	require.NoError(t, ln.Close(), "again")
	for _, a := range addrsOf(t, ln) { // which are fixed
		again, err := tcp.Listen(t.Context(), a.String(), nil)
		require.NoError(t, err)
		require.NoError(t, again.Close())
	}
}

// R7 of the faults that servers meet: a backlog that nobody takes.
func TestConnectionsThatNobodyAcceptedAreResetByClose(t *testing.T) {
	for name, listen := range map[string]func(t *testing.T) *tcp.Listener{
		"one socket": func(t *testing.T) *tcp.Listener { t.Helper(); return listen(t, nil) },
		"several": func(t *testing.T) *tcp.Listener {
			t.Helper()
			ln, err := named(t, tcp.ListenConfig{})
			require.NoError(t, err)
			return ln
		},
	} {
		t.Run(name, func(t *testing.T) {
			ln := listen(t)
			var clients []*tcp.Conn
			for _, a := range addrsOf(t, ln) {
				for range 4 {
					c, err := tcp.Dial(t.Context(), a.String(), nil)
					require.NoError(t, err)
					defer c.Close()
					clients = append(clients, c)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := ln.Accept(ctx)
			require.ErrorIs(t, err, context.Canceled)
			require.NoError(t, ln.Close())
			for _, c := range clients {
				_, err := c.Receive(t.Context(), make([]byte, 1))
				require.ErrorIs(t, err, stream.ErrBroken)
			}
		})
	}
}
