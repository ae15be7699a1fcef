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

func inGroup(t *testing.T, body func(ctx context.Context, g *structured.Group) error) error {
	t.Helper()
	return structured.Run(t.Context(), body)
}

func TestStartReturnsWhatReadyWasGiven(t *testing.T) {
	err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
		v, err := structured.Start(ctx, g, "server", func(ctx context.Context, ready func(string)) error {
			ready("address")
			return untilDone(ctx)
		})
		assert.Equal(t, "address", v)
		g.Cancel(nil)
		return err
	})
	require.NoError(t, err)
}

func TestSecondReadyPanics(t *testing.T) {
	err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
		_, err := structured.Start(ctx, g, "server", func(ctx context.Context, ready func(int)) error {
			ready(1)
			requirePanic(t, "ready called twice", func() { ready(2) })
			return nil
		})
		return err
	})
	require.NoError(t, err)
}

func TestFailureBeforeReadyIsAnErrorOfStartAlone(t *testing.T) {
	err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
		v, err := structured.Start(ctx, g, "server", func(context.Context, func(int)) error { return errOne })
		assert.Zero(t, v)
		assert.EqualError(t, err, "server: one")
		assert.NoError(t, ctx.Err())
		return nil
	})
	require.NoError(t, err)
}

func TestFailureAfterReadyIsTheGroups(t *testing.T) {
	err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
		_, err := structured.Start(ctx, g, "server", func(_ context.Context, ready func(int)) error {
			ready(1)
			return errOne
		})
		require.NoError(t, err)
		return untilDone(ctx)
	})
	assert.EqualError(t, err, "server: one")
}

func TestReturnWithoutReadyIsAnError(t *testing.T) {
	err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
		_, err := structured.Start(ctx, g, "server", func(context.Context, func(int)) error { return nil })
		return err
	})
	assert.EqualError(t, err, "server: task returned without calling ready")
}

func TestStartInACanceledGroupRunsToTheFirstWait(t *testing.T) {
	ran := false
	err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
		g.Cancel(errOne)
		_, err := structured.Start(ctx, g, "server", func(ctx context.Context, ready func(int)) error {
			ran = true
			<-ctx.Done()
			return ctx.Err()
		})
		assert.ErrorIs(t, err, errOne)
		assert.ErrorIs(t, err, context.Canceled)
		return err
	})
	require.NoError(t, err)
	assert.True(t, ran)
}

func TestCancelingStartWaitsForItsTaskAndLeavesTheGroupAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			ended := false
			_, err := structured.Start(short, g, "server", func(ctx context.Context, _ func(int)) error {
				deadline, _ := ctx.Deadline()
				assert.Equal(t, time.Second, time.Until(deadline))
				<-ctx.Done()
				<-time.After(time.Second)
				ended = true
				return ctx.Err()
			})
			assert.True(t, ended)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			return ctx.Err()
		})
		require.NoError(t, err)
	})
}

func TestStartInAnOuterGroupEndsWhenTheInnerFails(t *testing.T) {
	finished := false
	err := inGroup(t, func(ctx context.Context, outer *structured.Group) error {
		return structured.Run(ctx, func(ctx context.Context, inner *structured.Group) error {
			inner.Go("failing", failing(errOne))
			_, err := structured.Start(ctx, outer, "server", func(ctx context.Context, ready func(int)) error {
				<-ctx.Done()
				return ctx.Err()
			})
			finished = err == nil
			return err
		})
	})
	assert.EqualError(t, err, "failing: one")
	assert.False(t, finished)
}

func TestReadyAfterCanceledStartHasNoEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			v, err := structured.Start(short, g, "server", func(ctx context.Context, ready func(int)) error {
				<-ctx.Done()
				ready(1)
				return errOne // belongs to Start: the group never had the task
			})
			assert.Zero(t, v)
			assert.EqualError(t, err, "server: one")
			return nil
		})
		require.NoError(t, err)
	})
}

func TestStartedTaskMovesFromTheCallersContextToTheGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var atReady, after atomic.Bool
		err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
			g.Go("canceler", func(context.Context) error {
				<-time.After(time.Second)
				g.Cancel(nil)
				return nil
			})
			caller, cancel := context.WithCancel(context.WithoutCancel(ctx)) // shielded from the group
			_, err := structured.Start(caller, g, "server", func(ctx context.Context, ready func(int)) error {
				<-time.After(2 * time.Second)
				atReady.Store(ctx.Err() != nil)
				ready(1)
				<-ctx.Done()
				after.Store(true)
				return ctx.Err()
			})
			cancel()
			return err
		})
		require.NoError(t, err)
		assert.False(t, atReady.Load(), "the group's cancellation reached a task that was not its own yet")
		assert.True(t, after.Load())
	})
}

func TestCallersCancellationAfterReadyHasNoEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
			caller, cancel := context.WithCancel(ctx)
			_, err := structured.Start(caller, g, "server", func(ctx context.Context, ready func(int)) error {
				ready(1)
				<-time.After(time.Second)
				_, ok := ctx.Deadline()
				assert.False(t, ok)
				return ctx.Err()
			})
			cancel()
			return err
		})
		require.NoError(t, err)
	})
}

func TestShieldInsideAStartIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := structured.Start(short, g, "server", func(ctx context.Context, ready func(int)) error {
				err := structured.Shield(ctx, time.Minute, func(ctx context.Context, _ *structured.Scope) error {
					<-time.After(2 * time.Second)
					return ctx.Err()
				})
				assert.NoError(t, err)
				return untilDone(ctx)
			})
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			return nil
		})
		require.NoError(t, err)
	})
}

func TestContextOfAStartedTaskEndsWithTheTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
			var kept context.Context
			_, err := structured.Start(ctx, g, "server", func(ctx context.Context, ready func(int)) error {
				kept = ctx
				ready(1)
				return nil
			})
			<-kept.Done()
			assert.NoError(t, ctx.Err())
			return err
		})
		require.NoError(t, err)
	})
}

func TestCanceledOfAStartedTasksOwnIsAnError(t *testing.T) {
	err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
		_, err := structured.Start(ctx, g, "client", func(_ context.Context, ready func(int)) error {
			ready(1)
			return context.Canceled // of something else: neither the group nor the Start was
		})
		assert.NoError(t, err)
		return untilDone(ctx)
	})
	require.EqualError(t, err, "client: context canceled")
}

func TestGoexitBeforeReadyIsAnErrorOfStart(t *testing.T) {
	err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
		_, err := structured.Start(ctx, g, "server", func(context.Context, func(int)) error {
			runtime.Goexit()
			return nil
		})
		assert.EqualError(t, err, "server: task ended by runtime.Goexit")
		return ctx.Err()
	})
	require.NoError(t, err)
}

func TestStartOfAPanicThatIsCaptured(t *testing.T) {
	err := structured.Config{CapturePanics: true}.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		_, err := structured.Start(ctx, g, "server", func(context.Context, func(int)) error { return panicHere() })
		_, ok := errors.AsType[*structured.PanicError](err)
		assert.True(t, ok)
		return nil
	})
	require.NoError(t, err)
}
