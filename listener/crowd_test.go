package listener_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/memory"
)

// patientHello is hello, and tells that it waits.
func patientHello(ctx context.Context, c *memory.Conn) (*memory.Conn, error) {
	listener.WaitsForPeer(ctx, true)
	defer listener.WaitsForPeer(ctx, false)
	return hello(ctx, c)
}

// flood has clients of any number connect and say nothing.
func flood(t *testing.T, below *memory.Listener, stalled int) {
	for range stalled {
		client(t, below, "")
	}
}

// TestStalledClientsOfAnyNumberHoldOthersUpForHalfASecond also holds that no
// more are in preparation than the limit allows, and that each of those that
// gave way is told about.
func TestStalledClientsOfAnyNumberHoldOthersUpForHalfASecond(t *testing.T) {
	for _, limit := range []int{1, 64, 1024} {
		synctest.Test(t, func(t *testing.T) {
			const stalled = 2000
			below := memory.Listen(&memory.ListenConfig{Backlog: stalled + 1})
			var preparing, gaveWay atomic.Int32
			ln := listener.Prepare(below, func(ctx context.Context, c *memory.Conn) (*memory.Conn, error) {
				assert.LessOrEqual(t, int(preparing.Add(1)), limit)
				defer preparing.Add(-1)
				return patientHello(ctx, c)
			}, &listener.PrepareConfig[*memory.Conn]{
				InFlight: limit,
				OnError: func(_ *memory.Conn, err error) {
					if !errors.Is(err, net.ErrClosed) && assert.ErrorIs(t, err, listener.ErrCrowdedOut) {
						gaveWay.Add(1)
					}
				},
			})
			defer ln.Close()
			flood(t, below, stalled)
			client(t, below, "x")
			start := time.Now()
			s, err := ln.Accept(t.Context())
			require.NoError(t, err)
			assert.Less(t, time.Since(start), 500*time.Millisecond, "limit %d", limit)
			assert.EqualValues(t, stalled+1-limit, gaveWay.Load())
			s.Close()
			synctest.Wait()
			assert.EqualValues(t, limit-1, preparing.Load(), "nobody gives way to nobody")
		})
	}
}

// TestWithoutGivingWayStalledClientsLockOthersOut is the control of the test
// above: here the preparation does not say that it waits.
func TestWithoutGivingWayStalledClientsLockOthersOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		ln := listener.Prepare(below, hello, &listener.PrepareConfig[*memory.Conn]{InFlight: 7})
		defer ln.Close()
		flood(t, below, 10)
		client(t, below, "x")
		start := time.Now()
		s, err := ln.Accept(t.Context())
		require.NoError(t, err)
		assert.Equal(t, listener.DefaultPrepareTimeout, time.Since(start))
		s.Close()
	})
}

func TestWhoWaitedLongestInAllGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		gone := make(chan *memory.Conn, 1)
		// A preparation needs two bytes.
		ln := listener.Prepare(below, func(ctx context.Context, c *memory.Conn) (*memory.Conn, error) {
			if _, err := patientHello(ctx, c); err != nil {
				return nil, err
			}
			return patientHello(ctx, c)
		}, &listener.PrepareConfig[*memory.Conn]{
			InFlight: 2,
			OnError:  func(c *memory.Conn, _ error) { gone <- c },
		})
		defer ln.Close()
		accepted := make(chan *memory.Conn, 1)
		go func() {
			s, err := ln.Accept(t.Context())
			if err == nil {
				accepted <- s
			}
		}()
		drips := client(t, below, "")
		<-time.After(100 * time.Millisecond)
		younger := client(t, below, "")
		<-time.After(50 * time.Millisecond)
		_, err := drips.Send(t.Context(), []byte("x")) // and waits again
		require.NoError(t, err)
		start := time.Now()
		client(t, below, "")
		<-gone
		assert.Equal(t, 100*time.Millisecond, time.Since(start), "250 ms in all")
		_, err = drips.Send(t.Context(), []byte("x"))
		assert.Error(t, err, "the byte that it sent did not help it")
		_, err = younger.Send(t.Context(), []byte("xx"))
		require.NoError(t, err)
		(<-accepted).Close()
	})
}

func TestNobodyGivesWayWhoIsBeingWorkedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		ln := listener.Prepare(below, func(ctx context.Context, c *memory.Conn) (*memory.Conn, error) {
			c, err := patientHello(ctx, c)
			<-time.After(3 * time.Second) // of work, in the bubble
			return c, err
		}, &listener.PrepareConfig[*memory.Conn]{
			InFlight: 2,
			OnError:  func(_ *memory.Conn, err error) { assert.ErrorIs(t, err, net.ErrClosed) },
		})
		defer ln.Close()
		for range 6 {
			client(t, below, "x")
		}
		start := time.Now()
		for range 6 {
			s, err := ln.Accept(t.Context())
			require.NoError(t, err)
			s.Close()
		}
		assert.Equal(t, 9*time.Second, time.Since(start))
	})
}

func TestReadyStreamsGiveWayToNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		ln := listener.Prepare(below, func(ctx context.Context, c *memory.Conn) (*memory.Conn, error) {
			listener.WaitsForPeer(ctx, true) // to the end
			return hello(ctx, c)
		}, &listener.PrepareConfig[*memory.Conn]{
			InFlight: 1,
			OnError:  func(_ *memory.Conn, err error) { assert.ErrorIs(t, err, net.ErrClosed) },
		})
		defer ln.Close()
		accept := func() {
			s, err := ln.Accept(t.Context())
			require.NoError(t, err)
			s.Close()
		}
		for range 3 {
			client(t, below, "x")
		}
		accept()
		<-time.After(time.Minute)
		accept()
		accept()
	})
}

func TestStreamThatWaitsForRoomIsClosedWithTheListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		told := make(chan error, 2)
		ln := listener.Prepare(below, hello, &listener.PrepareConfig[*memory.Conn]{
			InFlight: 1,
			OnError:  func(_ *memory.Conn, err error) { told <- err },
		})
		go func() { _, _ = ln.Accept(t.Context()) }()
		client(t, below, "")
		waits := client(t, below, "")
		synctest.Wait()
		require.NoError(t, ln.Close())
		for range 2 {
			assert.ErrorIs(t, <-told, net.ErrClosed)
		}
		_, err := waits.Send(t.Context(), []byte("x"))
		assert.Error(t, err)
	})
}

// TestPatienceComesBack holds that one flood does not make the listener
// impatient with the slow clients of later.
func TestPatienceComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		ln := listener.Prepare(below, patientHello, &listener.PrepareConfig[*memory.Conn]{InFlight: 2})
		defer ln.Close()
		accept := func() time.Duration {
			start := time.Now()
			client(t, below, "x")
			s, err := ln.Accept(t.Context())
			require.NoError(t, err)
			s.Close()
			return time.Since(start)
		}
		flood(t, below, 50)
		accept()
		flood(t, below, 1)
		assert.Less(t, accept(), time.Millisecond, "it is impatient still")
		<-time.After(2 * time.Second)
		flood(t, below, 2)
		assert.Equal(t, 250*time.Millisecond, accept())
	})
}

func TestWaitsForPeerElsewhereDoesNothing(t *testing.T) {
	listener.WaitsForPeer(t.Context(), true)
	listener.WaitsForPeer(t.Context(), false)
}
