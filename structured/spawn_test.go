package structured_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/structured"
)

// after returns a function that takes d, then returns v and err.
func after(d time.Duration, v int, err error) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		select {
		case <-time.After(d):
			return v, err
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func TestHandleHasTheResultOnceTheTaskEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var task *structured.Task[int]
		err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
			task = structured.Spawn(g, "task", after(time.Second, 7, nil))
			assert.Equal(t, "task", task.Name())
			assert.Equal(t, structured.Running, task.Status())
			_, err := task.Result()
			assert.ErrorIs(t, err, structured.ErrRunning)
			v, err := task.Wait(ctx)
			assert.Equal(t, 7, v)
			return err
		})
		require.NoError(t, err)
		<-task.Done()
		assert.Equal(t, structured.Done, task.Status())
		v, err := task.Result()
		assert.Equal(t, 7, v)
		assert.NoError(t, err)
		task.Cancel(nil)
		assert.Equal(t, structured.Done, task.Status())
	})
}

func TestFailureOfASpawnedTaskIsTheGroupsToo(t *testing.T) {
	var task *structured.Task[int]
	err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
		task = structured.Spawn(g, "task", after(0, 0, errOne))
		_, err := task.Wait(context.WithoutCancel(ctx))
		assert.Error(t, ctx.Err(), "the failure was seen before the group was canceled")
		return err // the very cause: an echo
	})
	assert.EqualError(t, err, "task: one")
	assert.Equal(t, structured.Failed, task.Status())
	_, own := task.Result()
	assert.Same(t, err, own)
}

func TestGoexitOfASpawnedTaskEndsItsHandle(t *testing.T) {
	var task *structured.Task[int]
	err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
		task = structured.Spawn(g, "quitter", func(context.Context) (int, error) {
			runtime.Goexit()
			return 0, nil
		})
		<-task.Done()
		return ctx.Err()
	})
	assert.EqualError(t, err, "quitter: task ended by runtime.Goexit")
	assert.Equal(t, structured.Failed, task.Status())
}

func TestJoinedErrorsOfATaskAreALineEach(t *testing.T) {
	both := errors.Join(errOne, errTwo)
	const want = "task: one\ntask: two"
	var task *structured.Task[int]
	err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
		task = structured.Spawn(g, "task", after(0, 0, both))
		return untilDone(ctx)
	})
	assert.EqualError(t, err, want)
	_, err = task.Result()
	assert.EqualError(t, err, want)
	err = inGroup(t, func(ctx context.Context, g *structured.Group) error {
		g.Go("task", failing(both))
		return nil
	})
	assert.EqualError(t, err, want)
	err = inGroup(t, func(ctx context.Context, g *structured.Group) error {
		_, err := structured.Start(ctx, g, "task", func(context.Context, func(int)) error { return both })
		assert.NoError(t, ctx.Err())
		return err
	})
	assert.EqualError(t, err, want)
}

func TestCanceledHandleFailsNeitherTheGroupNorTheWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
			task := structured.Spawn(g, "task", func(ctx context.Context) (int, error) {
				<-ctx.Done()
				<-time.After(time.Second)
				return 1, context.Cause(ctx)
			})
			sibling := structured.Spawn(g, "sibling", after(5*time.Second, 2, nil))
			task.Cancel(errOne)
			task.Cancel(errTwo)
			assert.Equal(t, structured.Canceling, task.Status())
			_, err := task.Wait(ctx)
			assert.ErrorIs(t, err, errOne)
			assert.ErrorIs(t, err, context.Canceled)
			assert.NotErrorIs(t, err, errTwo)
			assert.Equal(t, structured.Canceled, task.Status())
			assert.NoError(t, ctx.Err())
			_, err = sibling.Wait(ctx)
			return err
		})
		require.NoError(t, err)
	})
}

func TestCanceledWaitLeavesTheTaskAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
			task := structured.Spawn(g, "task", after(3*time.Second, 7, nil))
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := task.Wait(short)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			_, err = task.Wait(short) // also at once
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			v, err := task.Wait(ctx)
			assert.Equal(t, 7, v)
			return err
		})
		require.NoError(t, err)
	})
}

func TestGatherKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := structured.Gather(t.Context(), after(3, 1, nil), after(1, 2, nil), after(2, 3, nil))
		require.NoError(t, err)
		assert.Equal(t, []int{1, 2, 3}, got)
		got, err = structured.Gather[int](t.Context())
		require.NoError(t, err)
		assert.Empty(t, got)
	})
}

func TestGatherCancelsTheRestOnAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		got, err := structured.Gather(t.Context(), after(time.Hour, 1, nil), after(time.Second, 0, errOne))
		assert.EqualError(t, err, "1: one")
		assert.Nil(t, got)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestMapHoldsItsLimitAndTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		got, err := structured.Map(t.Context(), []int{4, 3, 2, 1}, 2, func(ctx context.Context, n int) (int, error) {
			return after(time.Second, n*n, nil)(ctx)
		})
		require.NoError(t, err)
		assert.Equal(t, []int{16, 9, 4, 1}, got)
		assert.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestCanceledMapIsNeverASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ran := 0
		_, err := structured.Map(ctx, []int{1, 2, 3}, 1, func(ctx context.Context, n int) (int, error) {
			ran++
			<-time.After(2 * time.Second) // and succeeds
			return n, nil
		})
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 1, ran)
		requirePanic(t, "Map: negative limit", func() { _, _ = structured.Map(ctx, []int{1}, -1, after1) })
		requirePanic(t, "Map: nil function", func() { _, _ = structured.Map[int, int](ctx, []int{1}, 1, nil) })
	})
}

func after1(_ context.Context, n int) (int, error) { return n, nil }

func TestAsCompletedYieldsInTheOrderOfTheirEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []int
		for i, task := range structured.AsCompleted(t.Context(), after(3, 0, nil), after(1, 0, errOne), after(2, 9, nil)) {
			order = append(order, i)
			v, err := task.Result()
			if i == 1 {
				assert.EqualError(t, err, "1: one")
			} else {
				assert.NoError(t, err)
			}
			if i == 2 {
				assert.Equal(t, 9, v)
			}
		}
		assert.Equal(t, []int{1, 2, 0}, order)
		for range structured.AsCompleted[int](t.Context()) {
			t.Error("yielded something")
		}
	})
}

func TestLeavingAsCompletedEarlyCancelsTheRestAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		for range structured.AsCompleted(t.Context(), after(1, 0, nil), func(ctx context.Context) (int, error) {
			<-ctx.Done()
			<-time.After(time.Second)
			ended = true
			return 0, nil
		}) {
			break
		}
		assert.True(t, ended)
	})
}

func TestPanicInALoopOverAsCompletedWaitsForTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		assert.PanicsWithValue(t, "boom", func() {
			for range structured.AsCompleted(t.Context(), after(1, 0, nil), func(ctx context.Context) (int, error) {
				<-ctx.Done()
				<-time.After(time.Second)
				ended = true
				return 0, nil
			}) {
				panic("boom")
			}
		})
		assert.True(t, ended)
	})
}

func TestAsCompletedMayBeUsedAgain(t *testing.T) {
	var ran atomic.Int32
	tasks := structured.AsCompleted(t.Context(), func(context.Context) (int32, error) { return ran.Add(1), nil })
	for want := range int32(2) {
		for _, task := range tasks {
			got, err := task.Result()
			assert.NoError(t, err)
			assert.Equal(t, want+1, got)
		}
	}
	assert.EqualValues(t, 2, ran.Load())
}

func TestAsCompletedOfADoneContextYieldsEveryTask(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	for _, task := range structured.AsCompleted(ctx, after(time.Hour, 0, nil), after(time.Hour, 0, nil)) {
		assert.Equal(t, structured.Canceled, task.Status())
		n++
	}
	assert.Equal(t, 2, n)
}

func TestRaceReturnsTheFirstSuccessOnceTheLosersEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		loserEnded := false
		v, err := structured.Race(t.Context(), after(1, 0, errOne), after(time.Second, 2, nil), func(ctx context.Context) (int, error) {
			<-ctx.Done()
			<-time.After(time.Second)
			loserEnded = true
			return 3, nil
		})
		require.NoError(t, err)
		assert.Equal(t, 2, v)
		assert.True(t, loserEnded)
		assert.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestRaceWithoutAWinnerReturnsEveryError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := structured.Race(t.Context(), after(2, 0, errTwo), after(1, 0, errOne))
		assert.EqualError(t, err, "1: one\n0: two")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = structured.Race(ctx, after(time.Hour, 0, nil), after(time.Hour, 0, nil))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = structured.Race(ctx, after(time.Hour, 0, nil), func(context.Context) (int, error) { return 0, errOne })
		assert.EqualError(t, err, "1: one")
		requirePanic(t, "Race: no functions", func() { _, _ = structured.Race[int](ctx) })
	})
}

func TestRaceErrorsAreInErrorsAs(t *testing.T) {
	_, err := structured.Race(t.Context(), func(context.Context) (int, error) { return 0, errOne })
	te, ok := errors.AsType[*structured.TaskError](err)
	require.True(t, ok)
	assert.Equal(t, "0", te.Path)
}

func TestNilFunctionsPanicBeforeAnythingIsStarted(t *testing.T) {
	requirePanic(t, "Gather: function 1 is nil", func() { _, _ = structured.Gather(t.Context(), after(0, 0, nil), nil) })
	requirePanic(t, "Race: function 0 is nil", func() { _, _ = structured.Race[int](t.Context(), nil) })
	requirePanic(t, "AsCompleted: function 0 is nil", func() { structured.AsCompleted[int](t.Context(), nil) })
}
