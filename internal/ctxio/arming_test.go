package ctxio_test

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/ctxio"
)

// park makes n calls of Receive that have to wait for their byte.
func park(ctx context.Context, t *testing.T, peer net.Conn, c *ctxio.Conn, n int) {
	t.Helper()
	for range n {
		done := begin(func() (int, error) { return c.Receive(ctx, make([]byte, 1)) })
		for range 100 {
			runtime.Gosched()
		}
		_, err := peer.Write([]byte("x"))
		require.NoError(t, err)
		require.NoError(t, await(t, done).err)
	}
}

// parkUntilStanding parks until a call left its arming standing: with a
// single processor busy elsewhere, a byte may come before the call can park.
func parkUntilStanding(ctx context.Context, t *testing.T, peer net.Conn, c *ctxio.Conn) {
	t.Helper()
	for range 1000 {
		park(ctx, t, peer, c, 1)
		if c.Standing() {
			return
		}
	}
	t.Fatal("no call left its arming standing")
}

func TestArmingStandsFromTheSecondCallWithAContextOn(t *testing.T) {
	a, b := pipePair(t) // which is not tried first, so that every call arms
	c := wrap(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	park(ctx, t, a, c, 1)
	assert.False(t, c.Standing(), "after the first call")
	park(ctx, t, a, c, 1)
	assert.True(t, c.Standing(), "after the second call")
	park(background, t, a, c, 1)
	assert.False(t, c.Standing(), "after a call with another context")
}

func TestArmingStandsAfterManyReadyCallsWithOneContext(t *testing.T) {
	a, b := tcpPair(t)
	c := wrap(t, b)
	one, cancel := context.WithCancel(t.Context())
	defer cancel()
	const many = 1024
	_, err := a.Write(make([]byte, 2*many)) // a single segment
	require.NoError(t, err)
	require.NoError(t, c.WaitReceive(background))
	for range many {
		ctx, cancel := context.WithCancel(one)
		_, err := c.Receive(ctx, make([]byte, 1))
		require.NoError(t, err)
		cancel()
	}
	assert.False(t, c.Standing(), "with a context for each call")
	for range many {
		_, err := c.Receive(one, make([]byte, 1))
		require.NoError(t, err)
	}
	assert.True(t, c.Standing(), "with one for all")
	done := begin(func() (int, error) { return c.Receive(one, make([]byte, 1)) })
	cancel()
	require.ErrorIs(t, await(t, done).err, context.Canceled)
	park(background, t, a, c, 1)
}

func TestContextThatStandsArmedStillCancels(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			a, b := kind.pair(t)
			c := wrap(t, b)
			ctx, cancel := context.WithCancel(t.Context())
			parkUntilStanding(ctx, t, a, c)
			done := begin(func() (int, error) { return c.Receive(ctx, make([]byte, 1)) })
			cancel()
			require.ErrorIs(t, await(t, done).err, context.Canceled)
			park(background, t, a, c, 2)
		})
	}
}

func TestContextDoesNotHoldAClosedConn(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a, b := tcpPair(t)
	c := new(ctxio.Conn)
	c.Init(b)
	parkUntilStanding(ctx, t, a, c)
	gone := weak.Make(c)
	runtime.GC()
	require.NotNil(t, gone.Value(), "the arming should hold the open conn")
	require.NoError(t, c.Close())
	for range 100 {
		runtime.GC()
		if gone.Value() == nil {
			return
		}
	}
	t.Error("the context still holds the conn")
}

func TestDeadlineOfAContextIsATimeout(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			_, b := kind.pair(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			_, err := wrap(t, b).Receive(ctx, make([]byte, 1))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			var timeout interface{ Timeout() bool }
			require.ErrorAs(t, err, &timeout)
			assert.True(t, timeout.Timeout())
		})
	}
}

// uncomparable panics when it is compared with another of its type.
type uncomparable struct {
	context.Context
	_ []int
}

func TestContextsNeedNotBeComparable(t *testing.T) {
	a, b := tcpPair(t)
	c := wrap(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	parkUntilStanding(uncomparable{Context: ctx}, t, a, c)
	park(uncomparable{Context: ctx}, t, a, c, 2)
}
