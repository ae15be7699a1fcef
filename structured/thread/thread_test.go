package thread_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/structured"
	"github.com/strata-go/strata/structured/thread"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errOne    = errors.New("one")
	noContext context.Context // nil on purpose
)

type (
	work  = func(ctx context.Context) (int, error)
	runFn = func(ctx context.Context, l *structured.CapacityLimiter, f work) (int, error)
)

// each runs f for every way to run a function, without those left out.
func each(t *testing.T, f func(t *testing.T, run runFn), without ...string) {
	locked := func(ctx context.Context, l *structured.CapacityLimiter, f work) (int, error) {
		p := thread.NewPool(&thread.PoolConfig{Limiter: l})
		defer p.Close()
		return thread.Locked(ctx, p, f)
	}
	for name, run := range map[string]runFn{"Run": thread.Run[int], "Abandon": thread.Abandon[int], "Locked": locked} {
		if slices.Contains(without, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, run) })
		})
	}
}

func TestResultErrorAndValuesPass(t *testing.T) {
	type key struct{}
	each(t, func(t *testing.T, run runFn) {
		l := structured.NewCapacityLimiter(1)
		v, err := run(context.WithValue(t.Context(), key{}, 7), l, func(ctx context.Context) (int, error) {
			assert.Equal(t, 1, l.Statistics().Borrowed)
			return ctx.Value(key{}).(int), errOne
		})
		assert.Equal(t, 7, v)
		assert.Equal(t, errOne, err)
		assert.Zero(t, l.Statistics().Borrowed)
	})
}

func TestCanceledBeforeTheStartIsNotRun(t *testing.T) {
	each(t, func(t *testing.T, run runFn) {
		f := func(context.Context) (int, error) {
			t.Error("was run")
			return 0, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := run(ctx, structured.NewCapacityLimiter(0), f) // while it waits for a token
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = run(ctx, structured.NewCapacityLimiter(1), f) // from the beginning
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestNoMoreThanTheLimiterAllowsRun(t *testing.T) {
	each(t, func(t *testing.T, run runFn) {
		l := structured.NewCapacityLimiter(3)
		var running, peak atomic.Int32
		start := time.Now()
		_, err := structured.Map(t.Context(), make([]int, 4), 0, func(ctx context.Context, _ int) (int, error) {
			return run(ctx, l, func(context.Context) (int, error) {
				n := running.Add(1)
				defer running.Add(-1)
				for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
				}
				<-time.After(time.Second)
				return 0, nil
			})
		})
		require.NoError(t, err)
		assert.EqualValues(t, 3, peak.Load())
		assert.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestRunAndLockedWaitForTheFunctionWhenCanceled(t *testing.T) {
	each(t, func(t *testing.T, run runFn) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		v, err := run(ctx, structured.NewCapacityLimiter(1), func(ctx context.Context) (int, error) {
			<-time.After(time.Minute)
			assert.Error(t, ctx.Err()) // which f could have seen
			return 7, nil
		})
		require.NoError(t, err)
		assert.Equal(t, 7, v)
		assert.Equal(t, time.Minute, time.Since(start))
	}, "Abandon")
}

func TestAbandonReturnsAtOnceAndHoldsTheTokenUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := structured.NewCapacityLimiter(1)
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errOne)
		defer cancel()
		start := time.Now()
		finished := false
		v, err := thread.Abandon(ctx, l, func(context.Context) (int, error) {
			<-time.After(time.Minute)
			finished = true
			return 7, nil
		})
		assert.Zero(t, v)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorIs(t, err, errOne)
		assert.Equal(t, time.Second, time.Since(start))
		assert.Equal(t, 1, l.Statistics().Borrowed)
		require.NoError(t, l.Acquire(t.Context())) // waits for the token
		assert.Equal(t, time.Minute, time.Since(start))
		assert.True(t, finished)
	})
}

func TestGoexitIsAnErrorAndGivesTheTokenBack(t *testing.T) {
	each(t, func(t *testing.T, run runFn) {
		l := structured.NewCapacityLimiter(1)
		_, err := run(t.Context(), l, func(context.Context) (int, error) {
			runtime.Goexit()
			return 1, nil
		})
		assert.EqualError(t, err, "thread: the function ended by runtime.Goexit")
		assert.Zero(t, l.Statistics().Borrowed)
	}, "Run") // which ends the goroutine that waits for it
}

func TestPanicInRunGivesTheTokenBack(t *testing.T) {
	l := structured.NewCapacityLimiter(1)
	assert.PanicsWithValue(t, "boom", func() {
		_, _ = thread.Run(t.Context(), l, func(context.Context) (int, error) { panic("boom") })
	})
	assert.Zero(t, l.Statistics().Borrowed)
}

// TestPanicEndsTheProgram runs itself as a program.
func TestPanicEndsTheProgram(t *testing.T) {
	const env = "THREAD_TEST_PANIC"
	fail := func(context.Context) (int, error) { panic("boom") }
	switch os.Getenv(env) {
	case "Abandon":
		_, _ = thread.Abandon(t.Context(), nil, fail)
		os.Exit(0)
	case "Locked":
		_, _ = thread.Locked(t.Context(), thread.NewPool(nil), fail)
		os.Exit(0)
	}
	for _, name := range []string{"Abandon", "Locked"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), env+"="+name)
		out, err := cmd.CombinedOutput()
		require.Error(t, err, name)
		assert.Contains(t, string(out), "TestPanicEndsTheProgram.func1", name) // where it happened
	}
}

func TestDefaultLimiterHasFortyTokens(t *testing.T) {
	assert.Equal(t, 40, thread.Default().Statistics().Total)
	_, err := thread.Run(t.Context(), nil, func(context.Context) (int, error) {
		assert.Equal(t, 1, thread.Default().Statistics().Borrowed)
		return 0, nil
	})
	require.NoError(t, err)
	p := thread.NewPool(nil)
	_, err = thread.Locked(t.Context(), p, func(context.Context) (int, error) {
		assert.Equal(t, 1, thread.Default().Statistics().Borrowed)
		return 0, nil
	})
	require.NoError(t, err)
	require.NoError(t, p.Close())
}

func TestIdleThreadsAreReusedThenPruned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := thread.NewPool(nil)
		defer p.Close()
		sleep := func(context.Context) (int, error) {
			<-time.After(time.Second)
			return 0, nil
		}
		_, err := structured.Gather(t.Context(),
			func(ctx context.Context) (int, error) { return thread.Locked(ctx, p, sleep) },
			func(ctx context.Context) (int, error) { return thread.Locked(ctx, p, sleep) })
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, thread.PoolStatistics{Threads: 2, Idle: 2}, p.Statistics())
		for range 9 { // one of them keeps being used
			_, err = thread.Locked(t.Context(), p, sleep)
			require.NoError(t, err)
		}
		synctest.Wait()
		assert.Equal(t, thread.PoolStatistics{Threads: 2, Idle: 2}, p.Statistics())
		<-time.After(2 * time.Second)
		synctest.Wait()
		assert.Equal(t, thread.PoolStatistics{Threads: 1, Idle: 1}, p.Statistics())
		<-time.After(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, thread.PoolStatistics{}, p.Statistics())
	})
}

func TestNoMoreThanMaxIdleThreadsAreKept(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  thread.PoolConfig
		want int
	}{
		"default":  {thread.PoolConfig{}, 8},
		"two":      {thread.PoolConfig{MaxIdle: 2}, 2},
		"none":     {thread.PoolConfig{MaxIdle: -1}, 0},
		"for good": {thread.PoolConfig{MaxIdle: 3, IdleTime: -1}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := thread.NewPool(&tt.cfg)
				_, err := structured.Map(t.Context(), make([]int, 20), 0, func(ctx context.Context, _ int) (int, error) {
					return thread.Locked(ctx, p, func(context.Context) (int, error) {
						<-time.After(time.Second)
						return 0, nil
					})
				})
				require.NoError(t, err)
				synctest.Wait()
				assert.Equal(t, thread.PoolStatistics{Threads: tt.want, Idle: tt.want}, p.Statistics())
				if tt.cfg.IdleTime < 0 {
					<-time.After(24 * time.Hour)
					assert.Equal(t, tt.want, p.Statistics().Idle)
				}
				require.NoError(t, p.Close())
				assert.Equal(t, thread.PoolStatistics{}, p.Statistics())
			})
		})
	}
}

func TestFunctionHasAThreadOfItsOwn(t *testing.T) {
	p := thread.NewPool(nil)
	defer p.Close()
	ids := map[int]bool{}
	for range 5 {
		id, err := thread.Locked(t.Context(), p, func(context.Context) (int, error) {
			id := threadID()
			for range 10 {
				runtime.Gosched()
				assert.Equal(t, id, threadID())
			}
			return id, nil
		})
		require.NoError(t, err)
		ids[id] = true
	}
	assert.NotContains(t, ids, 0)
}

func TestGoexitTakesTheThreadWithIt(t *testing.T) {
	p := thread.NewPool(nil)
	_, err := thread.Locked(t.Context(), p, func(context.Context) (int, error) {
		runtime.Goexit()
		return 0, nil
	})
	require.Error(t, err)
	require.NoError(t, p.Close()) // waits for it
	assert.Zero(t, p.Statistics())
}

func TestClosedPoolRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := thread.NewPool(nil)
		var ended atomic.Bool
		done := make(chan error)
		go func() {
			_, err := thread.Locked(t.Context(), p, func(context.Context) (int, error) {
				<-time.After(time.Second)
				ended.Store(true)
				return 0, nil
			})
			done <- err
		}()
		synctest.Wait()
		require.NoError(t, p.Close())
		assert.True(t, ended.Load())
		assert.NoError(t, <-done)
		require.NoError(t, p.Close())
		_, err := thread.Locked(t.Context(), p, func(context.Context) (int, error) { return 0, nil })
		assert.ErrorIs(t, err, thread.ErrClosed)
	})
}

func TestReuseRacingWithPruningLosesNoJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := thread.NewPool(&thread.PoolConfig{IdleTime: time.Second})
		for range 200 {
			v, err := thread.Locked(t.Context(), p, func(context.Context) (int, error) { return 1, nil })
			require.NoError(t, err)
			assert.Equal(t, 1, v)
			<-time.After(time.Second) // to the very moment of the pruning
		}
		require.NoError(t, p.Close())
	})
}

func TestBadArgumentsPanic(t *testing.T) {
	f := func(context.Context) (int, error) { return 0, nil }
	assert.PanicsWithValue(t, "thread: Run: nil function", func() { _, _ = thread.Run[int](t.Context(), nil, nil) })
	assert.PanicsWithValue(t, "thread: Abandon: nil function", func() { _, _ = thread.Abandon[int](t.Context(), nil, nil) })
	assert.PanicsWithValue(t, "thread: Run: nil ctx", func() { _, _ = thread.Run(noContext, nil, f) })
	assert.PanicsWithValue(t, "thread: Locked: nil pool", func() { _, _ = thread.Locked(t.Context(), nil, f) })
}
