package listener_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

// stopWithBacklog stops a server that has room for one stream, with one being
// handled and two in the backlog, and returns all three.
func stopWithBacklog(t *testing.T, handler func(context.Context, *memory.Conn) error, grace time.Duration) (*serving, []*memory.Conn) {
	t.Helper()
	srv := serve(t, handler, &listener.Config[*memory.Conn]{Limit: 1, Grace: grace})
	var conns []*memory.Conn
	for range 3 {
		conns = append(conns, srv.connect(t))
		synctest.Wait()
	}
	srv.stop()
	return srv, conns
}

func TestWhatWaitsInTheBacklogIsServedBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, conns := stopWithBacklog(t, func(ctx context.Context, c *memory.Conn) error {
			untilDraining(ctx)
			_, err := c.Send(ctx, []byte("served"))
			return err
		}, 0)
		for _, c := range conns {
			got, err := io.ReadAll(stream.NewReader(t.Context(), c))
			require.NoError(t, err)
			assert.Equal(t, "served", string(got))
		}
		assert.NoError(t, <-srv.done)
	})
}

// A stalling listener does not come to look before the context is done, the
// first time that it has a deadline.
type stalling struct {
	*memory.Listener
	stalled bool
}

func (s *stalling) Accept(ctx context.Context) (*memory.Conn, error) {
	if _, ok := ctx.Deadline(); ok && !s.stalled {
		s.stalled = true
		<-ctx.Done()
		<-time.After(600 * time.Millisecond)
	}
	return s.Listener.Accept(ctx)
}

func TestBusyMachineDoesNotLoseWhatWaitsInTheBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &stalling{Listener: memory.Listen(nil)}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- listener.Serve(ctx, ln, func(ctx context.Context, c *memory.Conn) error {
				untilDraining(ctx)
				_, err := c.Send(ctx, []byte("served"))
				return err
			}, &listener.Config[*memory.Conn]{Limit: 1})
		}()
		for range 3 {
			c, err := ln.Connect(t.Context())
			require.NoError(t, err)
			defer func() {
				got, err := io.ReadAll(stream.NewReader(t.Context(), c))
				require.NoError(t, err)
				assert.Equal(t, "served", string(got))
			}()
			synctest.Wait()
		}
		stop()
		require.NoError(t, <-done)
		assert.True(t, ln.stalled)
	})
}

func TestWithoutGraceTheBacklogIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, conns := stopWithBacklog(t, func(ctx context.Context, _ *memory.Conn) error {
			<-ctx.Done()
			return nil
		}, -1)
		assert.ErrorIs(t, <-srv.done, listener.ErrDrained)
		for _, c := range conns[1:] {
			_, err := c.Receive(t.Context(), make([]byte, 1))
			assert.ErrorIs(t, err, stream.ErrBroken)
		}
	})
}

func TestBacklogThatIsFilledAllTheWhileDoesNotHoldUpTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serve(t, func(context.Context, *memory.Conn) error { return nil }, nil)
		ctx, stop := context.WithCancel(t.Context())
		filled := make(chan struct{})
		go func() {
			defer close(filled)
			for {
				c, err := srv.ln.Connect(ctx)
				if err != nil {
					return
				}
				<-time.After(time.Millisecond)
				c.Close()
			}
		}()
		<-time.After(time.Second)
		start := time.Now()
		assert.NoError(t, srv.end())
		assert.LessOrEqual(t, time.Since(start), 2*time.Second) // of the bubble's clock
		stop()
		<-filled
	})
}
