package ctxio_test

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/internal/race"
)

func TestCallsDoNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	cancelable, cancel := context.WithCancel(t.Context())
	defer cancel()
	contexts := []struct {
		name string
		ctx  context.Context
	}{
		{"Background", background},
		{"one cancelable", cancelable},
		{"a value", context.WithValue(background, t, t)},
	}
	for _, kind := range kinds {
		for _, c := range contexts {
			t.Run(kind.name+", "+c.name, func(t *testing.T) {
				a, b := kind.pair(t)
				echo(t, b)
				conn, buf := wrap(t, a), make([]byte, 64)
				roundTrip(c.ctx, t, conn, buf) // twice, until the arming stands
				roundTrip(c.ctx, t, conn, buf)
				assert.Zero(t, testing.AllocsPerRun(500, func() { roundTrip(c.ctx, t, conn, buf) }))
			})
		}
	}
}

func TestReadyReceiveWithANewContextDoesNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	a, b := tcpPair(t)
	conn, buf := wrap(t, a), make([]byte, 64)
	bare := testing.AllocsPerRun(500, func() {
		_, cancel := context.WithCancel(t.Context())
		cancel()
	})
	ours := testing.AllocsPerRun(500, func() {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := b.Write(buf)
		require.NoError(t, err)
		require.NoError(t, conn.WaitReceive(background))
		_, err = conn.Receive(ctx, buf)
		require.NoError(t, err)
		cancel()
	})
	assert.Equal(t, bare, ours)
}

func TestSendBuffersDoesNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	a, b := tcpPair(t)
	conn, buf := wrap(t, a), make([]byte, 64)
	bufs := [][]byte{buf[:16], buf[16:]}
	assert.Zero(t, testing.AllocsPerRun(500, func() {
		_, err := conn.SendBuffers(background, bufs)
		require.NoError(t, err)
		_, err = io.ReadFull(b, buf)
		require.NoError(t, err)
	}))
}

// echo sends back what comes, until the test ends.
func echo(tb testing.TB, conn net.Conn) {
	tb.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64)
		for {
			if _, err := io.ReadFull(conn, buf); err != nil {
				return
			}
			if _, err := conn.Write(buf); err != nil {
				return
			}
		}
	}()
	tb.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
}

func roundTrip(ctx context.Context, tb testing.TB, c *ctxio.Conn, buf []byte) {
	tb.Helper()
	if _, err := c.Send(ctx, buf); err != nil {
		tb.Fatal(err)
	}
	for got := 0; got < len(buf); {
		n, err := c.Receive(ctx, buf[got:])
		if err != nil {
			tb.Fatal(err)
		}
		got += n
	}
}
