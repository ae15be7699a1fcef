package listener_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

// hello prepares a stream by receiving one byte from it.
func hello(ctx context.Context, c *memory.Conn) (*memory.Conn, error) {
	p := make([]byte, 1)
	if _, err := c.Receive(ctx, p); err != nil {
		return nil, err
	}
	if p[0] == '!' {
		return nil, errors.New("not a greeting")
	}
	return c, nil
}

// client connects and says what, if anything.
func client(t *testing.T, ln *memory.Listener, what string) *memory.Conn {
	t.Helper()
	c, err := ln.Connect(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	_, err = c.Send(t.Context(), []byte(what))
	require.NoError(t, err)
	return c
}

func TestSilentClientHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		ln := listener.Prepare(below, hello, nil)
		defer ln.Close()
		client(t, below, "")
		client(t, below, "x")
		start := time.Now()
		s, err := ln.Accept(t.Context())
		require.NoError(t, err)
		assert.Zero(t, time.Since(start))
		s.Close()
	})
}

func TestPreparationTakesNoLongerThanTheTimeout(t *testing.T) {
	tests := []struct {
		name          string
		timeout, want time.Duration
	}{
		{"default", 0, listener.DefaultPrepareTimeout},
		{"own", 3 * time.Second, 3 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				below := memory.Listen(nil)
				failed := make(chan error, 1)
				ln := listener.Prepare(below, hello, &listener.PrepareConfig[*memory.Conn]{
					Timeout: tt.timeout,
					OnError: func(_ *memory.Conn, err error) { failed <- err },
				})
				defer ln.Close()
				c := client(t, below, "")
				go ln.Accept(t.Context())
				start := time.Now()
				err := <-failed
				assert.Equal(t, tt.want, time.Since(start))
				late, ok := errors.AsType[*listener.PrepareTimeoutError](err)
				require.True(t, ok)
				assert.Equal(t, tt.want, late.Timeout)
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				_, err = c.Receive(t.Context(), make([]byte, 1))
				assert.Equal(t, io.EOF, err, "the stream is closed")
			})
		})
	}
}

func TestNegativeTimeoutMeansNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		ln := listener.Prepare(below, hello, &listener.PrepareConfig[*memory.Conn]{Timeout: -1})
		defer ln.Close()
		c := client(t, below, "")
		go func() {
			<-time.After(100 * time.Hour)
			c.Send(t.Context(), []byte("x"))
		}()
		s, err := ln.Accept(t.Context())
		require.NoError(t, err)
		s.Close()
	})
}

func TestFailedPreparationIsToldOnceWithItsStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		var told []error
		ln := listener.Prepare(below, hello, &listener.PrepareConfig[*memory.Conn]{
			OnError: func(c *memory.Conn, err error) {
				told = append(told, err)
				assert.NotEmpty(t, listener.NameOf(c))
			},
		})
		defer ln.Close()
		client(t, below, "!")
		client(t, below, "x")
		s, err := ln.Accept(t.Context())
		require.NoError(t, err, "the listener lives on")
		s.Close()
		synctest.Wait()
		require.Len(t, told, 1)
		assert.ErrorContains(t, told[0], "not a greeting")
	})
}

func TestInFlightBoundsWhatIsPrepared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		var preparing atomic.Int32
		ln := listener.Prepare(below, func(ctx context.Context, c *memory.Conn) (*memory.Conn, error) {
			preparing.Add(1)
			defer preparing.Add(-1)
			return hello(ctx, c)
		}, &listener.PrepareConfig[*memory.Conn]{InFlight: 2})
		defer ln.Close()
		first := client(t, below, "")
		client(t, below, "")
		client(t, below, "x")
		accepted := make(chan error, 1)
		go func() {
			s, err := ln.Accept(t.Context())
			if err == nil {
				err = s.Close()
			}
			accepted <- err
		}()
		synctest.Wait()
		assert.EqualValues(t, 2, preparing.Load())
		first.Close()
		assert.NoError(t, <-accepted, "room for the third")
	})
}

func TestNothingIsAcceptedBeforeTheFirstAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		prepared := false
		ln := listener.Prepare(below, func(_ context.Context, c *memory.Conn) (*memory.Conn, error) {
			prepared = true
			return c, nil
		}, nil)
		client(t, below, "x")
		synctest.Wait()
		assert.False(t, prepared)
		require.NoError(t, ln.Close())
	})
}

func TestCanceledAcceptLosesNoStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		ln := listener.Prepare(below, hello, nil)
		defer ln.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := ln.Accept(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		client(t, below, "x")
		synctest.Wait() // it is ready, and nobody is there
		s, err := ln.Accept(t.Context())
		require.NoError(t, err)
		s.Close()
	})
}

func TestCloseEndsWhatIsInPreparationAndWhatNobodyAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		ln := listener.Prepare(below, hello, nil)
		waiting := make(chan error, 1)
		silent := client(t, below, "")
		client(t, below, "x")
		s, err := ln.Accept(t.Context())
		require.NoError(t, err)
		s.Close()
		ready := client(t, below, "y")
		synctest.Wait()
		require.NoError(t, ln.Close())
		for _, c := range []stream.ByteStream{silent, ready} {
			_, err := c.Receive(t.Context(), make([]byte, 1))
			assert.Equal(t, io.EOF, err)
		}
		go func() {
			_, err := ln.Accept(t.Context())
			waiting <- err
		}()
		assert.ErrorIs(t, <-waiting, net.ErrClosed)
		assert.NoError(t, ln.Close(), "again")
	})
}

func TestCloseWakesAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := listener.Prepare(memory.Listen(nil), hello, nil)
		waiting := make(chan error, 1)
		go func() {
			_, err := ln.Accept(t.Context())
			waiting <- err
		}()
		synctest.Wait()
		require.NoError(t, ln.Close())
		assert.ErrorIs(t, <-waiting, net.ErrClosed)
	})
}

func TestErrorsOfAcceptingReachAcceptOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		short := sysError(listener.Passing[0])
		below := &failing{Listener: memory.Listen(nil), errs: []error{short}}
		ln := listener.Prepare(below, hello, nil)
		defer ln.Close()
		_, err := ln.Accept(t.Context())
		require.ErrorIs(t, err, short)
		client(t, below.Listener, "x")
		s, err := ln.Accept(t.Context())
		require.NoError(t, err)
		s.Close()
	})
}

func TestWhatWasAcceptedIsStillHandedOutAfterTheListenerBelowClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		ln := listener.Prepare(below, hello, nil)
		defer ln.Close()
		first := client(t, below, "")
		got := make(chan error, 1)
		go func() {
			s, err := ln.Accept(t.Context())
			if err == nil {
				err = s.Close()
			}
			got <- err
		}()
		synctest.Wait()
		require.NoError(t, below.Close())
		_, err := first.Send(t.Context(), []byte("x"))
		require.NoError(t, err)
		require.NoError(t, <-got)
		_, err = ln.Accept(t.Context())
		assert.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestServeOverPrepare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.Listen(nil)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- listener.Serve(ctx, listener.Prepare(below, hello, nil), echo, nil) }()
		client(t, below, "")
		c := client(t, below, "x")
		assertEchoes(t, c)
		c.Close()
		synctest.Wait()
		stop()
		assert.NoError(t, <-done)
	})
}
