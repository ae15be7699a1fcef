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

// ahead are listeners that accept ahead, all from the same two.
var ahead = map[string]func(a, b *memory.Listener) stream.Listener[*memory.Conn]{
	"each prepared": func(a, b *memory.Listener) stream.Listener[*memory.Conn] {
		return listener.Multi[*memory.Conn](listener.Prepare(a, hello, nil), listener.Prepare(b, hello, nil))
	},
	"one prepared": func(a, b *memory.Listener) stream.Listener[*memory.Conn] {
		return listener.Multi[*memory.Conn](listener.Prepare(a, hello, nil), b)
	},
	"both prepared": func(a, b *memory.Listener) stream.Listener[*memory.Conn] {
		return listener.Prepare(listener.Multi[*memory.Conn](a, b), hello, nil)
	},
	"prepared and converted": func(a, b *memory.Listener) stream.Listener[*memory.Conn] {
		same := func(c *memory.Conn) *memory.Conn { return c }
		return listener.Map(listener.Prepare(listener.Multi[*memory.Conn](listener.Map(a, same), b), hello, nil), same)
	},
}

// announce tells the client that it is served.
func announce(ctx context.Context, c *memory.Conn) error {
	_, err := c.Send(ctx, []byte("served"))
	return err
}

// stopping is a server that listens at a and b and was told to stop.
type stopping struct {
	a, b  *memory.Listener
	early []*memory.Conn // in preparation, or ready
	done  chan error
}

// stopWhile stops a server while four clients are connected that have not said
// what it waits for, where it does.
func stopWhile(t *testing.T, over func(a, b *memory.Listener) stream.Listener[*memory.Conn], cfg *listener.Config[*memory.Conn]) *stopping {
	t.Helper()
	s := &stopping{a: memory.Listen(nil), b: memory.Listen(nil), done: make(chan error, 1)}
	ctx, stop := context.WithCancel(t.Context())
	go func() { s.done <- listener.Serve(ctx, over(s.a, s.b), announce, cfg) }()
	for range 2 {
		for _, ln := range []*memory.Listener{s.a, s.b} {
			c, err := ln.Connect(t.Context())
			require.NoError(t, err)
			t.Cleanup(func() { c.Close() })
			s.early = append(s.early, c)
		}
	}
	synctest.Wait()
	stop()
	return s
}

func assertAnnounced(t *testing.T, c *memory.Conn) {
	t.Helper()
	got := make([]byte, len("served"))
	_, err := io.ReadFull(stream.NewReader(t.Context(), c), got)
	require.NoError(t, err)
	assert.Equal(t, "served", string(got))
}

func TestWhatWasAcceptedAheadIsServedBeforeTheEnd(t *testing.T) {
	for name, over := range ahead {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stopWhile(t, over, &listener.Config[*memory.Conn]{Limit: 1})
				<-time.After(900 * time.Millisecond)
				for _, c := range s.early {
					_, _ = c.Send(t.Context(), []byte("x")) // some are served without
				}
				for _, c := range s.early {
					assertAnnounced(t, c)
				}
				require.NoError(t, <-s.done)
			})
		})
	}
}

func TestNothingMoreIsAcceptedWhileTheLastAreInPreparation(t *testing.T) {
	for name, over := range ahead {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stopWhile(t, over, nil)
				<-time.After(500 * time.Millisecond)
				late := client(t, s.a, "x")
				_, err := late.Receive(t.Context(), make([]byte, 1))
				require.ErrorIs(t, err, stream.ErrBroken)
				require.NoError(t, <-s.done)
			})
		})
	}
}

func TestSilentClientsHoldUpTheEndForASecondAtMost(t *testing.T) {
	for _, tt := range []struct{ grace, want time.Duration }{
		{0, 1010 * time.Millisecond}, {time.Millisecond, 2 * time.Millisecond}, {-1, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			s := stopWhile(t, ahead["both prepared"], &listener.Config[*memory.Conn]{Grace: tt.grace})
			require.NoError(t, <-s.done)
			assert.Equal(t, tt.want, time.Since(start))
			for _, c := range s.early {
				_, err := c.Receive(t.Context(), make([]byte, 1))
				require.Error(t, err)
			}
		})
	}
}
