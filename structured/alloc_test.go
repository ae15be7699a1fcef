package structured_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/race"
	"github.com/strata-go/strata/structured"
)

func skipUnderRace(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
}

func TestTaskCostsTwoAllocations(t *testing.T) {
	skipUnderRace(t)
	few := testing.AllocsPerRun(20, func() { underGroup(100) })
	many := testing.AllocsPerRun(20, func() { underGroup(1100) })
	assert.LessOrEqual(t, (many-few)/1000, 2.05) // the runtime's own pools make it uneven
}

func TestUncontendedPrimitivesAllocateNothing(t *testing.T) {
	skipUnderRace(t)
	ctx := context.Background()
	var m structured.Mutex
	s := structured.NewSemaphore(1, 1)
	l := structured.NewCapacityLimiter(1)
	var g structured.Guard
	var e structured.Event
	e.Set()
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		require.NoError(t, m.Lock(ctx))
		m.Unlock()
		require.NoError(t, s.Acquire(ctx))
		s.Release()
		require.NoError(t, l.Acquire(ctx))
		l.Release()
		require.NoError(t, g.Enter())
		g.Leave()
		require.NoError(t, e.Wait(ctx))
	}))
}

func TestContextKeptFromAnEndedTaskKeepsNoOthers(t *testing.T) {
	err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		var kept context.Context
		for i := range 1000 {
			_, err := structured.Spawn(g, "task", func(ctx context.Context) (int, error) {
				if i == 0 {
					kept = ctx
				}
				return 0, nil
			}).Wait(ctx)
			require.NoError(t, err)
		}
		assert.False(t, structured.HasNext(kept))
		return nil
	})
	require.NoError(t, err)
}
