package memory_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

// made is what a Connect or Accept came to.
type made struct {
	conn *memory.Conn
	err  error
}

// makeLater starts a Connect or Accept and returns once it waits, if it does.
func makeLater(ctx context.Context, call func(context.Context) (*memory.Conn, error)) <-chan made {
	c := make(chan made, 1)
	go func() { // ends with the call
		conn, err := call(ctx)
		c <- made{conn, err}
	}()
	synctest.Wait()
	return c
}

func TestAcceptedConnIsTheOtherEndOfTheConnectedOne(t *testing.T) {
	ln := memory.Listen(nil)
	client, err := ln.Connect(t.Context())
	require.NoError(t, err)
	_, err = client.Send(t.Context(), []byte("hello"))
	require.NoError(t, err, "also before it is accepted")
	server, err := ln.Accept(t.Context())
	require.NoError(t, err)
	buf := make([]byte, 10)
	n, err := server.Receive(t.Context(), buf)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(buf[:n]))
}

func TestConnsAreAcceptedInOrder(t *testing.T) {
	ln := memory.Listen(nil)
	for i := range byte(5) {
		c, err := ln.Connect(t.Context())
		require.NoError(t, err)
		_, err = c.TrySend([]byte{i})
		require.NoError(t, err)
	}
	for i := range byte(5) {
		c, err := ln.Accept(t.Context())
		require.NoError(t, err)
		var buf [1]byte
		_, err = c.Receive(t.Context(), buf[:])
		require.NoError(t, err)
		assert.Equal(t, i, buf[0])
	}
}

func TestConnectWaitsForRoomInTheBacklog(t *testing.T) {
	tests := []struct {
		name string
		cfg  *memory.ListenConfig
		room int
	}{
		{"nil", nil, 128},
		{"zero", &memory.ListenConfig{}, 128},
		{"two", &memory.ListenConfig{Backlog: 2}, 2},
		{"none", &memory.ListenConfig{Backlog: -1}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := memory.Listen(tt.cfg)
				for range tt.room {
					_, err := ln.Connect(t.Context())
					require.NoError(t, err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				canceled := makeLater(ctx, ln.Connect)
				waiting := makeLater(t.Context(), ln.Connect)
				cancel()
				assert.ErrorIs(t, (<-canceled).err, context.Canceled)
				require.True(t, pending(waiting))
				for range tt.room + 1 {
					_, err := ln.Accept(t.Context())
					require.NoError(t, err)
				}
				assert.NoError(t, (<-waiting).err)
				ctx, cancel = context.WithCancel(t.Context())
				accepting := makeLater(ctx, ln.Accept)
				require.True(t, pending(accepting), "the canceled Connect made none")
				cancel()
				assert.ErrorIs(t, (<-accepting).err, context.Canceled)
			})
		})
	}
}

func TestListenerConfiguresItsConns(t *testing.T) {
	ln := memory.Listen(&memory.ListenConfig{Pipe: memory.Config{Buffer: 3}})
	c, err := ln.Connect(t.Context())
	require.NoError(t, err)
	n, err := c.TrySend(make([]byte, 10))
	assert.ErrorIs(t, err, stream.ErrWouldBlock)
	assert.Equal(t, 3, n)
}

func TestCloseOfTheListenerWakesEverybodyWithErrClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := memory.Listen(nil)
		first := makeLater(t.Context(), ln.Accept)
		second := makeLater(t.Context(), ln.Accept)
		require.NoError(t, ln.Close())
		assert.ErrorIs(t, (<-first).err, net.ErrClosed)
		assert.ErrorIs(t, (<-second).err, net.ErrClosed)

		ln = memory.Listen(&memory.ListenConfig{Backlog: -1})
		first = makeLater(t.Context(), ln.Connect)
		second = makeLater(t.Context(), ln.Connect)
		require.NoError(t, ln.Close())
		assert.ErrorIs(t, (<-first).err, net.ErrClosed)
		assert.ErrorIs(t, (<-second).err, net.ErrClosed)
	})
}

func TestClosedListenerIsErrClosed(t *testing.T) {
	ln := memory.Listen(nil)
	require.NoError(t, ln.Close())
	require.NoError(t, ln.Close())
	_, err := ln.Accept(t.Context())
	assert.ErrorIs(t, err, net.ErrClosed)
	_, err = ln.Connect(t.Context())
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestCloseOfTheListenerBreaksWhatNobodyAccepted(t *testing.T) {
	ln := memory.Listen(nil)
	accepted, err := ln.Connect(t.Context())
	require.NoError(t, err)
	server, err := ln.Accept(t.Context())
	require.NoError(t, err)
	forgotten, err := ln.Connect(t.Context())
	require.NoError(t, err)
	require.NoError(t, ln.Close())

	_, err = forgotten.Receive(t.Context(), make([]byte, 1))
	assert.ErrorIs(t, err, stream.ErrBroken)
	assert.ErrorContains(t, err, "listener was closed")
	assert.NotErrorIs(t, err, net.ErrClosed, "that would be this side's own Close")

	_, err = server.Send(t.Context(), []byte("x"))
	require.NoError(t, err, "accepted connections live on")
	_, err = accepted.Receive(t.Context(), make([]byte, 1))
	assert.NoError(t, err)
}

// Every connection that a Connect returned is accepted or broken, whenever
// the listener closes.
func TestNoConnIsForgottenWhenTheListenerCloses(t *testing.T) {
	for range 200 {
		ln := memory.Listen(&memory.ListenConfig{Backlog: 2})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					c, err := ln.Connect(t.Context())
					if err != nil {
						assert.ErrorIs(t, err, net.ErrClosed)
						return
					}
					// io.EOF when it was accepted, ErrBroken when not.
					_, err = c.Receive(t.Context(), make([]byte, 1))
					assert.Error(t, err)
				}
			})
		}
		for range 2 {
			wg.Go(func() {
				for {
					c, err := ln.Accept(t.Context())
					if err != nil {
						assert.ErrorIs(t, err, net.ErrClosed)
						return
					}
					assert.NoError(t, c.Close())
				}
			})
		}
		for range 2 {
			wg.Go(func() { assert.NoError(t, ln.Close()) })
		}
		wg.Wait()
	}
}

func TestAddressesTellConnectionsApart(t *testing.T) {
	ln := memory.Listen(&memory.ListenConfig{Name: "smtp"})
	for _, number := range []uint64{1, 2} {
		client, err := ln.Connect(t.Context())
		require.NoError(t, err)
		server, err := ln.Accept(t.Context())
		require.NoError(t, err)
		for _, tt := range []struct {
			end           *memory.Conn
			local, remote memory.Addr
		}{
			{server, memory.Addr{Name: "smtp"}, memory.Addr{Name: "smtp", Number: number}},
			{client, memory.Addr{Name: "smtp", Number: number}, memory.Addr{Name: "smtp"}},
		} {
			local, err := sockattr.LocalAddr.Get(tt.end)
			require.NoError(t, err)
			assert.Equal(t, net.Addr(tt.local), local)
			remote, err := sockattr.RemoteAddr.Get(tt.end)
			require.NoError(t, err)
			assert.Equal(t, net.Addr(tt.remote), remote)
		}
	}
	local, err := sockattr.LocalAddr.Get(ln)
	require.NoError(t, err)
	assert.Equal(t, "smtp", local.String())
	assert.Equal(t, "memory", local.Network())
	assert.Equal(t, "smtp/2", memory.Addr{Name: "smtp", Number: 2}.String())

	unnamed, err := sockattr.LocalAddr.Get(memory.Listen(nil))
	require.NoError(t, err)
	assert.Equal(t, "listener", unnamed.String())
}

func TestAddressesAnswerAfterClose(t *testing.T) {
	a, b := memory.Pipe(nil)
	require.NoError(t, a.Close())
	for _, tt := range []struct {
		end           *memory.Conn
		local, remote string
	}{{a, "pipe/1", "pipe/2"}, {b, "pipe/2", "pipe/1"}} {
		local, err := sockattr.LocalAddr.Get(tt.end)
		require.NoError(t, err)
		assert.Equal(t, tt.local, local.String())
		remote, err := sockattr.RemoteAddr.Get(tt.end)
		require.NoError(t, err)
		assert.Equal(t, tt.remote, remote.String())
	}
}
