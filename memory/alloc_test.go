package memory_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/race"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/memory"
)

// requireAllocs fails when f allocates more than budget times per run.
func requireAllocs(t *testing.T, budget float64, f func()) {
	t.Helper()
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	assert.LessOrEqual(t, testing.AllocsPerRun(1000, f), budget)
}

func TestBufferedItemsAllocateNothing(t *testing.T) {
	s, r := memory.New[int](64)
	requireAllocs(t, 0, func() {
		for i := range 64 {
			_ = s.Send(t.Context(), i)
		}
		for range 64 {
			_, _ = r.Receive(t.Context())
		}
	})
}

func TestWaitingForItemsAllocatesNothing(t *testing.T) {
	question, asked := memory.New[int](0)
	answered, answer := memory.New[int](0)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			item, err := asked.Receive(t.Context())
			if err != nil {
				return // io.EOF
			}
			_ = answered.Send(t.Context(), item)
		}
	})
	requireAllocs(t, 0, func() {
		_ = question.Send(t.Context(), 1)
		_, _ = answer.Receive(t.Context())
	})
	require.NoError(t, question.Close())
	wg.Wait()
}

func TestPipeTrafficAllocatesNothing(t *testing.T) {
	for _, tt := range pipes {
		t.Run(tt.name, func(t *testing.T) {
			a, b := memory.Pipe(tt.cfg)
			var wg sync.WaitGroup
			wg.Go(func() { echo(t.Context(), b) })
			p := make([]byte, 64)
			requireAllocs(t, 0, func() {
				_, _ = a.Send(t.Context(), p[:1])
				_, _ = a.Receive(t.Context(), p)
			})
			require.NoError(t, a.Close())
			wg.Wait()
		})
	}
	t.Run("a full buffer", func(t *testing.T) {
		a, b := memory.Pipe(nil)
		p := make([]byte, 64<<10)
		requireAllocs(t, 0, func() {
			_, _ = a.Send(t.Context(), p)
			_, _ = b.Receive(t.Context(), p)
		})
	})
}

// echo sends back what it receives until the end.
func echo(ctx context.Context, c *memory.Conn) {
	defer c.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Receive(ctx, buf)
		if err != nil {
			return
		}
		if _, err := c.Send(ctx, buf[:n]); err != nil {
			return
		}
	}
}

func TestAPipeIsOneAllocation(t *testing.T) {
	requireAllocs(t, 1, func() {
		a, b := memory.Pipe(nil)
		_ = a.Close()
		_ = b.Close()
	})
}

func TestLookupOfAnAddressAllocatesNothing(t *testing.T) {
	ln := memory.Listen(nil)
	c, err := ln.Connect(t.Context())
	require.NoError(t, err)
	requireAllocs(t, 0, func() {
		_, _ = sockattr.LocalAddr.Get(c)
		_, _ = sockattr.RemoteAddr.Get(c)
		_, _ = sockattr.LocalAddr.Get(ln)
	})
}

func TestPipeHoldsNoMemoryForWhatIsReceivedOrDropped(t *testing.T) {
	a, b := memory.Pipe(nil)
	_, err := a.Send(t.Context(), make([]byte, 20_000))
	require.NoError(t, err)
	assert.NotZero(t, memory.Chunks(b))
	buf := make([]byte, 64<<10)
	n, err := b.Receive(t.Context(), buf)
	require.NoError(t, err)
	assert.Equal(t, 20_000, n)
	assert.Zero(t, memory.Chunks(b), "received")

	_, err = a.Send(t.Context(), make([]byte, 20_000))
	require.NoError(t, err)
	require.NoError(t, b.Close())
	assert.Zero(t, memory.Chunks(b), "dropped by the receiver")
}

func TestRingLetsABurstGo(t *testing.T) {
	s, r := memory.New[int](memory.Unbounded)
	for i := range 100_000 {
		require.NoError(t, s.TrySend(i))
	}
	assert.GreaterOrEqual(t, memory.Slots(r), 100_000)
	for range 100_000 {
		_, err := r.TryReceive()
		require.NoError(t, err)
	}
	assert.Zero(t, memory.Slots(r))
	assert.Equal(t, 100_000, r.Statistics().Peak)
}
