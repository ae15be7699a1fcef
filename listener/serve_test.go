package listener_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// serving is a Serve that runs beside the test.
type serving struct {
	ln   *memory.Listener
	stop context.CancelFunc
	done chan error
}

func serve(t *testing.T, handler func(context.Context, *memory.Conn) error, cfg *listener.Config[*memory.Conn]) *serving {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	srv := &serving{ln: memory.Listen(nil), stop: stop, done: make(chan error, 1)}
	go func() { srv.done <- listener.Serve(ctx, srv.ln, handler, cfg) }()
	return srv
}

func (srv *serving) connect(t *testing.T) *memory.Conn {
	t.Helper()
	c, err := srv.ln.Connect(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// end stops the server and returns what Serve returned.
func (srv *serving) end() error {
	srv.stop()
	return <-srv.done
}

func echo(ctx context.Context, c *memory.Conn) error {
	_, err := stream.Copy(ctx, c, c)
	return err
}

func assertEchoes(t *testing.T, c stream.ByteStream) {
	t.Helper()
	_, err := c.Send(t.Context(), []byte("ping"))
	require.NoError(t, err)
	p := make([]byte, 8)
	n, err := c.Receive(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, "ping", string(p[:n]))
}

func TestServeRunsEachStreamInATaskOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serve(t, echo, nil)
		first, second := srv.connect(t), srv.connect(t)
		assertEchoes(t, second) // while the first is silent
		assertEchoes(t, first)
		first.Close()
		second.Close()
		synctest.Wait()
		assert.NoError(t, srv.end())
	})
}

func TestServeClosesTheStreamWhenItsHandlerReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serve(t, func(context.Context, *memory.Conn) error { return nil }, nil)
		c := srv.connect(t)
		_, err := c.Receive(t.Context(), make([]byte, 1))
		assert.Equal(t, io.EOF, err)
		assert.NoError(t, srv.end())
	})
}

func TestHandlerErrorGoesToOnErrorAndToNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := errors.New("bad client")
		var told []error
		srv := serve(t, func(ctx context.Context, c *memory.Conn) error {
			err := echo(ctx, c)
			return errors.Join(err, bad)
		}, &listener.Config[*memory.Conn]{
			OnError: func(_ context.Context, c *memory.Conn, err error) {
				told = append(told, err)
				_, err = c.Receive(t.Context(), make([]byte, 1))
				assert.ErrorIs(t, err, net.ErrClosed, "the stream is closed by then")
			},
		})
		first, second := srv.connect(t), srv.connect(t)
		first.Close()
		synctest.Wait()
		require.Len(t, told, 1)
		assert.ErrorIs(t, told[0], bad)
		assertEchoes(t, second)
		second.Close()
		synctest.Wait()
		assert.NoError(t, srv.end())
	})
}

func TestHandlerErrorIsLoggedWithTheStreamsAttributes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		srv := serve(t, func(context.Context, *memory.Conn) error { return errors.New("boom") },
			&listener.Config[*memory.Conn]{Logger: slog.New(slog.NewTextHandler(&out, nil))})
		srv.connect(t)
		synctest.Wait()
		assert.NoError(t, srv.end())
		assert.Contains(t, out.String(), "boom")
		assert.Contains(t, out.String(), "net.remote_addr")
	})
}

func TestLimitLeavesFurtherStreamsInTheBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int32
		srv := serve(t, func(ctx context.Context, c *memory.Conn) error {
			running.Add(1)
			defer running.Add(-1)
			return echo(ctx, c)
		}, &listener.Config[*memory.Conn]{Limit: 2})
		first := srv.connect(t)
		srv.connect(t)
		third := srv.connect(t)
		synctest.Wait()
		assert.EqualValues(t, 2, running.Load())
		first.Close()
		assertEchoes(t, third)
		assert.EqualValues(t, 2, running.Load())
		assertDrains(t, srv, 2)
	})
}

// assertDrains ends a server whose handlers wait for their peers.
func assertDrains(t *testing.T, srv *serving, canceled int) {
	t.Helper()
	drain, ok := errors.AsType[*listener.DrainError](srv.end())
	require.True(t, ok)
	assert.Len(t, drain.Streams, canceled)
}

func TestHandlersMayFinishWithinTheGracePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serve(t, func(ctx context.Context, _ *memory.Conn) error {
			untilDraining(ctx)
			select {
			case <-time.After(4 * time.Second):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}, nil)
		srv.connect(t)
		synctest.Wait()
		start := time.Now()
		assert.NoError(t, srv.end())
		assert.Equal(t, 4*time.Second, time.Since(start))
	})
}

func TestServeWaitsForAHandlerThatIgnoresItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serve(t, func(context.Context, *memory.Conn) error {
			<-time.After(time.Hour)
			return nil
		}, nil)
		srv.connect(t)
		synctest.Wait()
		start := time.Now()
		assert.ErrorIs(t, srv.end(), listener.ErrDrained)
		assert.Equal(t, time.Hour, time.Since(start))
	})
}

func TestHandlersAreCanceledAfterTheGracePeriodAndNamed(t *testing.T) {
	tests := []struct {
		name  string
		grace time.Duration
		want  time.Duration
	}{
		{"default", 0, listener.DefaultGrace},
		{"own", time.Minute, time.Minute},
		{"none", -1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var cause error
				srv := serve(t, func(ctx context.Context, _ *memory.Conn) error {
					<-ctx.Done()
					cause = context.Cause(ctx)
					return nil
				}, &listener.Config[*memory.Conn]{Grace: tt.grace})
				srv.connect(t)
				synctest.Wait()
				start := time.Now()
				err := srv.end()
				assert.Equal(t, tt.want, time.Since(start))
				assert.ErrorIs(t, cause, listener.ErrDrained)
				assert.ErrorIs(t, err, listener.ErrDrained)
				drain, ok := errors.AsType[*listener.DrainError](err)
				require.True(t, ok)
				assert.Equal(t, tt.want, drain.Grace)
				assert.Len(t, drain.Streams, 1)
				assert.Contains(t, err.Error(), drain.Streams[0])
			})
		})
	}
}

func TestHandlerContextHasTheValuesOfServesContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		ln := memory.Listen(nil)
		ctx, stop := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		var got any
		done := make(chan error)
		go func() {
			done <- listener.Serve(ctx, ln, func(ctx context.Context, _ *memory.Conn) error {
				got = ctx.Value(key{})
				return nil
			}, nil)
		}()
		c, err := ln.Connect(ctx)
		require.NoError(t, err)
		defer c.Close()
		synctest.Wait()
		stop()
		require.NoError(t, <-done)
		assert.Equal(t, "value", got)
	})
}

func TestBacklogIsServedBeforeTheEndWithinTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most, served int // handlers take turns under the limit of 1
		srv := serve(t, func(ctx context.Context, _ *memory.Conn) error {
			running++
			most, served = max(most, running), served+1
			untilDraining(ctx)
			<-time.After(100 * time.Millisecond)
			running--
			return nil
		}, &listener.Config[*memory.Conn]{Limit: 1})
		for range 3 {
			srv.connect(t)
		}
		synctest.Wait()
		require.Equal(t, 1, served)
		require.NoError(t, srv.end())
		assert.Equal(t, 3, served)
		assert.Equal(t, 1, most)
	})
}

// untilDraining waits until the server is stopping.
func untilDraining(ctx context.Context) {
	idle, stop := listener.Draining(ctx)
	defer stop()
	<-idle.Done()
}

func TestDrainingEndsAWaitAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serve(t, func(ctx context.Context, c *memory.Conn) error {
			for range 2 { // the second time it is over before it begins
				idle, stop := listener.Draining(ctx)
				defer stop()
				_, err := c.Receive(idle, make([]byte, 1))
				assert.ErrorIs(t, err, listener.ErrDraining)
			}
			_, err := c.Send(ctx, []byte("bye"))
			return err
		}, nil)
		c := srv.connect(t)
		synctest.Wait()
		srv.stop()
		got, err := io.ReadAll(stream.NewReader(t.Context(), c))
		require.NoError(t, err)
		assert.Equal(t, "bye", string(got))
		assert.NoError(t, <-srv.done)
	})
}

func TestDrainingKeepsTheLimitsOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serve(t, func(ctx context.Context, c *memory.Conn) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			idle, stop := listener.Draining(ctx)
			defer stop()
			_, err := c.Receive(idle, make([]byte, 1))
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			return nil
		}, nil)
		c := srv.connect(t)
		_, err := c.Receive(t.Context(), make([]byte, 1))
		assert.Equal(t, io.EOF, err)
		assert.NoError(t, srv.end())
	})
}

func TestNothingDrainsOutsideServe(t *testing.T) {
	idle, stop := listener.Draining(t.Context())
	require.NoError(t, idle.Err())
	stop()
	assert.ErrorIs(t, idle.Err(), context.Canceled)
}

func TestServeClosesItsListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serve(t, echo, nil)
		synctest.Wait()
		require.NoError(t, srv.end())
		_, err := srv.ln.Accept(t.Context())
		assert.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestServeOnAClosedListenerSaysSo(t *testing.T) {
	ln := memory.Listen(nil)
	require.NoError(t, ln.Close())
	err := listener.Serve(t.Context(), ln, echo, nil)
	assert.ErrorIs(t, err, net.ErrClosed)
	assert.ErrorContains(t, err, "accept")
}

func TestServeEndsWhenSomebodyClosesTheListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serve(t, echo, nil)
		synctest.Wait()
		require.NoError(t, srv.ln.Close())
		assert.ErrorIs(t, <-srv.done, net.ErrClosed)
	})
}

func TestServeRefusesNil(t *testing.T) {
	err := listener.Serve(t.Context(), nil, echo, nil)
	assert.ErrorContains(t, err, "nil listener")
	ln := memory.Listen(nil)
	err = listener.Serve[*memory.Conn](t.Context(), ln, nil, nil)
	assert.ErrorContains(t, err, "nil handler")
	_, err = ln.Accept(t.Context())
	assert.ErrorIs(t, err, net.ErrClosed, "it owns the listener all the same")
}

func TestHandlerThatCallsGoexitLeavesNothingOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serve(t, func(context.Context, *memory.Conn) error {
			runtime.Goexit()
			return nil
		}, nil)
		c := srv.connect(t)
		_, err := c.Receive(t.Context(), make([]byte, 1))
		assert.Equal(t, io.EOF, err)
		srv.end()
	})
}

// failing is a listener whose first Accepts fail.
type failing struct {
	*memory.Listener
	mu     sync.Mutex
	errs   []error
	called []time.Time
}

func (f *failing) Accept(ctx context.Context) (*memory.Conn, error) {
	f.mu.Lock()
	f.called = append(f.called, time.Now())
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		f.mu.Unlock()
		return nil, err
	}
	f.mu.Unlock()
	return f.Listener.Accept(ctx)
}

func sysError(errno syscall.Errno) error {
	return &net.OpError{Op: "accept", Net: "tcp", Err: errno}
}

func repeat(err error, n int) (errs []error) {
	for range n {
		errs = append(errs, err)
	}
	return errs
}

// serveFailing serves ln, whose first Accepts fail, until it has handled one
// stream.
func serveFailing(t *testing.T, ln *failing, logger *slog.Logger) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- listener.Serve(ctx, ln, echo, &listener.Config[*memory.Conn]{Logger: logger}) }()
	c, err := ln.Connect(t.Context())
	require.NoError(t, err)
	assertEchoes(t, c)
	c.Close()
	synctest.Wait()
	stop()
	require.NoError(t, <-done)
}

// pauses are those between the first n Accepts and one more.
func (f *failing) pauses(n int) (pauses []time.Duration) {
	for i, at := range f.called[1 : n+1] {
		pauses = append(pauses, at.Sub(f.called[i]))
	}
	return pauses
}

func TestWhatPassesIsWaitedOutAndLoggedOnce(t *testing.T) {
	for _, errno := range listener.Passing {
		t.Run(errno.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				ln := &failing{Listener: memory.Listen(nil), errs: repeat(sysError(errno), 12)}
				serveFailing(t, ln, slog.New(slog.NewTextHandler(&out, nil)))
				ms := time.Millisecond
				assert.Equal(t, []time.Duration{5 * ms, 10 * ms, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 320 * ms, 640 * ms,
					time.Second, time.Second, time.Second, time.Second}, ln.pauses(12))
				assert.Equal(t, 1, strings.Count(out.String(), "accept failed, retrying"))
			})
		})
	}
}

func TestShortageDoesNotDelayTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &failing{Listener: memory.Listen(nil), errs: repeat(sysError(listener.Passing[0]), 1000)}
		ctx, cancel := context.WithTimeout(t.Context(), 5500*time.Millisecond)
		defer cancel()
		start := time.Now()
		require.NoError(t, listener.Serve(ctx, ln, echo, &listener.Config[*memory.Conn]{Logger: slog.New(slog.DiscardHandler)}))
		assert.Equal(t, 5500*time.Millisecond, time.Since(start))
	})
}

func TestConnectionThatDiedInTheBacklogIsPassedOverAtOnce(t *testing.T) {
	for _, errno := range listener.DiedInBacklog {
		t.Run(errno.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := &failing{Listener: memory.Listen(nil), errs: repeat(sysError(errno), 3)}
				serveFailing(t, ln, nil)
				assert.Equal(t, []time.Duration{0, 0, 0}, ln.pauses(3))
			})
		})
	}
}

func TestOtherErrorsOfAcceptingEndServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("interface gone")
		ln := &failing{Listener: memory.Listen(nil), errs: []error{gone}}
		assert.ErrorIs(t, listener.Serve(t.Context(), ln, echo, nil), gone)
	})
}

func TestReadyIsCalledOnceBeforeAccepting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ready := 0
		srv := serve(t, echo, &listener.Config[*memory.Conn]{Ready: func() { ready++ }})
		synctest.Wait()
		assert.Equal(t, 1, ready)
		c := srv.connect(t)
		assertEchoes(t, c)
		c.Close()
		synctest.Wait()
		assert.NoError(t, srv.end())
		assert.Equal(t, 1, ready)
	})
}

func TestCapturedPanicClosesItsStreamAloneAndIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []error
		srv := serve(t, func(ctx context.Context, c *memory.Conn) error {
			if err := echo(ctx, c); err != nil {
				return err
			}
			panic("out of order")
		}, &listener.Config[*memory.Conn]{
			CapturePanics: true,
			OnError:       func(_ context.Context, _ *memory.Conn, err error) { told = append(told, err) },
		})
		bad, good := srv.connect(t), srv.connect(t)
		require.NoError(t, bad.SendEOF(t.Context()))
		_, err := bad.Receive(t.Context(), make([]byte, 1))
		assert.Equal(t, io.EOF, err)
		synctest.Wait()
		require.Len(t, told, 1)
		caught, ok := errors.AsType[*structured.PanicError](told[0])
		require.True(t, ok)
		assert.Equal(t, "out of order", caught.Value)
		assert.Contains(t, string(caught.Stack), "TestCapturedPanic")
		assertEchoes(t, good)
		assertDrains(t, srv, 1)
	})
}
