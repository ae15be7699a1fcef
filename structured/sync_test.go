package structured_test

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/structured"
)

// A lock is what all primitives with a queue have in common.
type lock struct {
	acquire func(ctx context.Context) error
	try     func() bool
	release func()
	waiting func() int
}

var locks = map[string]func() lock{
	"Mutex": func() lock {
		m := new(structured.Mutex)
		return lock{m.Lock, m.TryLock, m.Unlock, func() int { return m.Statistics().Waiting }}
	},
	"Semaphore": func() lock {
		s := structured.NewSemaphore(1, 1)
		return lock{s.Acquire, s.TryAcquire, s.Release, func() int { return s.Statistics().Waiting }}
	},
	"CapacityLimiter": func() lock {
		l := structured.NewCapacityLimiter(1)
		return lock{l.Acquire, l.TryAcquire, l.Release, func() int { return l.Statistics().Waiting }}
	},
	"CapacityLimiter on behalf": func() lock {
		l := structured.NewCapacityLimiter(1)
		n := 0
		var held []int
		acquire := func(ctx context.Context) error {
			n++
			me := n
			err := l.AcquireOnBehalfOf(ctx, me)
			if err == nil {
				held = append(held, me)
			}
			return err
		}
		release := func() {
			me := held[0]
			held = held[1:]
			l.ReleaseOnBehalfOf(me)
		}
		try := func() bool {
			n++
			if !l.TryAcquireOnBehalfOf(n) {
				return false
			}
			held = append(held, n)
			return true
		}
		return lock{acquire, try, release, func() int { return l.Statistics().Waiting }}
	},
}

func eachLock(t *testing.T, f func(t *testing.T, l lock)) {
	for name, mk := range locks {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, mk()) })
		})
	}
}

func TestWaitersAreServedFirstComeFirstServed(t *testing.T) {
	eachLock(t, func(t *testing.T, l lock) {
		require.NoError(t, l.acquire(t.Context()))
		var order []int
		for i := range 5 {
			go func() {
				assert.NoError(t, l.acquire(t.Context()))
				order = append(order, i)
				l.release()
			}()
			synctest.Wait()
			assert.Equal(t, i+1, l.waiting())
		}
		l.release()
		synctest.Wait()
		assert.Equal(t, []int{0, 1, 2, 3, 4}, order)
		assert.Zero(t, l.waiting())
		assert.True(t, l.try())
		assert.False(t, l.try())
	})
}

func TestReleaseHandsOverAtOnce(t *testing.T) {
	eachLock(t, func(t *testing.T, l lock) {
		require.True(t, l.try())
		got := make(chan error, 1)
		go func() { got <- l.acquire(t.Context()) }()
		synctest.Wait()
		l.release()
		assert.False(t, l.try(), "barged past the waiter")
		assert.NoError(t, <-got)
		l.release()
		assert.True(t, l.try())
	})
}

func TestDoneContextAcquiresNothing(t *testing.T) {
	eachLock(t, func(t *testing.T, l lock) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errOne)
		err := l.acquire(ctx)
		assert.ErrorIs(t, err, errOne)
		assert.ErrorIs(t, err, context.Canceled)
		assert.True(t, l.try())
	})
}

func TestCanceledWaiterLeavesTheQueue(t *testing.T) {
	eachLock(t, func(t *testing.T, l lock) {
		require.NoError(t, l.acquire(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorIs(t, l.acquire(ctx), context.DeadlineExceeded)
		assert.Zero(t, l.waiting())
		l.release()
		assert.True(t, l.try())
	})
}

func TestCanceledWaiterInTheMiddleLeavesTheOthersInOrder(t *testing.T) {
	eachLock(t, func(t *testing.T, l lock) {
		require.NoError(t, l.acquire(t.Context()))
		var order []int
		var cancels []context.CancelFunc
		for i := range 4 {
			ctx, cancel := context.WithCancel(t.Context())
			cancels = append(cancels, cancel)
			go func() {
				if l.acquire(ctx) == nil {
					order = append(order, i)
					l.release()
				}
			}()
			synctest.Wait()
		}
		cancels[0]()
		cancels[2]()
		synctest.Wait()
		l.release()
		synctest.Wait()
		assert.Equal(t, []int{1, 3}, order)
		cancels[1]()
		cancels[3]()
	})
}

// A lateContext turns out to be done once its Err is asked for, so that a
// waiter woken by its grant learns of its cancellation at the same time.
type lateContext struct {
	context.Context
	done atomic.Bool
}

func (c *lateContext) Err() error {
	if c.done.Load() {
		return context.Canceled
	}
	return c.Context.Err()
}

func TestGrantToACanceledWaiterGoesToTheNext(t *testing.T) {
	eachLock(t, func(t *testing.T, l lock) {
		require.NoError(t, l.acquire(t.Context()))
		ctx := &lateContext{Context: t.Context()}
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- l.acquire(ctx) }()
		synctest.Wait()
		go func() { second <- l.acquire(t.Context()) }()
		synctest.Wait()
		ctx.done.Store(true)
		l.release()
		assert.ErrorIs(t, <-first, context.Canceled)
		assert.NoError(t, <-second)
		l.release()
		assert.True(t, l.try())
	})
}

func TestGrantToACanceledLastWaiterIsFreeAgain(t *testing.T) {
	eachLock(t, func(t *testing.T, l lock) {
		require.NoError(t, l.acquire(t.Context()))
		ctx := &lateContext{Context: t.Context()}
		got := make(chan error, 1)
		go func() { got <- l.acquire(ctx) }()
		synctest.Wait()
		ctx.done.Store(true)
		l.release()
		assert.ErrorIs(t, <-got, context.Canceled)
		assert.True(t, l.try())
	})
}

// Whoever of grant and cancellation comes first, the permit is never lost.
func TestGrantAndCancellationInARaceLoseNothing(t *testing.T) {
	for _, cancelFirst := range []bool{false, true} {
		eachLock(t, func(t *testing.T, l lock) {
			for range 50 {
				require.NoError(t, l.acquire(t.Context()))
				ctx, cancel := context.WithCancel(t.Context())
				first, second := make(chan error, 1), make(chan error, 1)
				go func() { first <- l.acquire(ctx) }()
				synctest.Wait()
				go func() { second <- l.acquire(t.Context()) }()
				synctest.Wait()
				if cancelFirst {
					cancel()
					l.release()
				} else {
					l.release()
					cancel()
				}
				if err := <-first; err == nil {
					l.release()
				} else {
					assert.ErrorIs(t, err, context.Canceled)
				}
				assert.NoError(t, <-second)
				l.release()
			}
			assert.True(t, l.try())
		})
	}
}

func TestEventLetsEveryWaiterGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e structured.Event
		got := make(chan error, 3)
		for range 3 {
			go func() { got <- e.Wait(t.Context()) }()
		}
		synctest.Wait()
		assert.Equal(t, structured.EventStatistics{Waiting: 3}, e.Statistics())
		assert.False(t, e.IsSet())
		e.Set()
		e.Set()
		for range 3 {
			assert.NoError(t, <-got)
		}
		assert.NoError(t, e.Wait(t.Context()))
		<-e.Done()
		synctest.Wait()
		assert.Equal(t, structured.EventStatistics{Set: true}, e.Statistics())
	})
}

func TestCanceledEventWaiterDoesNotProceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e structured.Event
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorIs(t, e.Wait(ctx), context.DeadlineExceeded)
		e.Set()
		assert.ErrorIs(t, e.Wait(ctx), context.DeadlineExceeded)
	})
}

func TestEventSetBeforeTheCancellationProceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 20 {
			var e structured.Event
			ctx, cancel := context.WithCancel(t.Context())
			got := make(chan error, 1)
			go func() { got <- e.Wait(ctx) }()
			synctest.Wait()
			e.Set()
			cancel()
			assert.NoError(t, <-got)
		}
	})
}

func TestMutexStatisticsAndMisuse(t *testing.T) {
	var m structured.Mutex
	requirePanic(t, "Mutex.Unlock of an unlocked mutex", m.Unlock)
	require.NoError(t, m.Lock(t.Context()))
	assert.Equal(t, structured.MutexStatistics{Locked: true}, m.Statistics())
	m.Unlock()
	assert.Equal(t, structured.MutexStatistics{}, m.Statistics())
}

func TestCondWakesOneOrAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m structured.Mutex
		c := structured.NewCond(&m)
		woken := 0
		for range 4 {
			go func() {
				assert.NoError(t, m.Lock(t.Context()))
				defer m.Unlock()
				assert.NoError(t, c.Wait(t.Context()))
				woken++
			}()
		}
		synctest.Wait()
		assert.Equal(t, structured.CondStatistics{Waiting: 4}, c.Statistics())
		c.Signal()
		synctest.Wait()
		assert.Equal(t, 1, woken)
		assert.Equal(t, 3, c.Statistics().Waiting)
		c.Broadcast()
		synctest.Wait()
		assert.Equal(t, 4, woken)
		c.Signal() // for nobody
		assert.Zero(t, c.Statistics().Waiting)
	})
}

func TestCondStatisticsTellWhoWaitsForTheMutexAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m structured.Mutex
		c := structured.NewCond(&m)
		for range 2 {
			go func() {
				assert.NoError(t, m.Lock(t.Context()))
				defer m.Unlock()
				assert.NoError(t, c.Wait(t.Context()))
			}()
		}
		synctest.Wait()
		require.NoError(t, m.Lock(t.Context()))
		for woken := range 3 {
			want := structured.CondStatistics{Waiting: 2 - woken, Mutex: structured.MutexStatistics{Locked: true, Waiting: woken}}
			assert.Equal(t, want, c.Statistics())
			c.Signal()
			synctest.Wait()
		}
		m.Unlock()
		synctest.Wait()
		assert.Equal(t, structured.CondStatistics{}, c.Statistics())
	})
}

func TestCanceledCondWaiterHoldsTheMutexAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m structured.Mutex
		c := structured.NewCond(&m)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, m.Lock(t.Context()))
		go func() {
			assert.NoError(t, m.Lock(t.Context()))
			<-time.After(5 * time.Second)
			m.Unlock()
		}()
		start := time.Now()
		assert.ErrorIs(t, c.Wait(ctx), context.DeadlineExceeded)
		assert.Equal(t, 5*time.Second, time.Since(start))
		assert.True(t, m.Statistics().Locked)
		assert.ErrorIs(t, c.Wait(ctx), context.DeadlineExceeded)
		assert.True(t, m.Statistics().Locked)
		m.Unlock()
		assert.Equal(t, structured.CondStatistics{}, c.Statistics())
	})
}

func TestSignalToACanceledCondWaiterReachesTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 2 {
			var m structured.Mutex
			c := structured.NewCond(&m)
			wait := func(ctx context.Context) chan error {
				got := make(chan error, 1)
				go func() {
					assert.NoError(t, m.Lock(t.Context()))
					defer m.Unlock()
					got <- c.Wait(ctx)
				}()
				synctest.Wait()
				return got
			}
			ctx := &lateContext{Context: t.Context()}
			first, second := wait(ctx), wait(t.Context())
			ctx.done.Store(true)
			c.Signal()
			assert.ErrorIs(t, <-first, context.Canceled)
			assert.NoError(t, <-second)
		}
	})
}

func TestCondWaitWithoutTheMutexPanics(t *testing.T) {
	c := structured.NewCond(new(structured.Mutex))
	requirePanic(t, "Cond.Wait without the mutex", func() { _ = c.Wait(t.Context()) })
	requirePanic(t, "NewCond: nil mutex", func() { structured.NewCond(nil) })
	requirePanic(t, "Cond.WaitFor: nil predicate", func() { _ = c.WaitFor(t.Context(), nil) })
}

func TestCondWaitForReturnsWhenThePredicateHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m structured.Mutex
		c := structured.NewCond(&m)
		n := 0
		got := make(chan error, 1)
		go func() {
			assert.NoError(t, m.Lock(t.Context()))
			defer m.Unlock()
			got <- c.WaitFor(t.Context(), func() bool { return n == 3 })
		}()
		for range 3 {
			synctest.Wait()
			assert.Empty(t, got)
			require.NoError(t, m.Lock(t.Context()))
			n++
			c.Broadcast()
			m.Unlock()
		}
		assert.NoError(t, <-got)

		require.NoError(t, m.Lock(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorIs(t, c.WaitFor(ctx, func() bool { return false }), context.DeadlineExceeded)
		assert.ErrorIs(t, c.WaitFor(ctx, func() bool { return true }), context.DeadlineExceeded)
		m.Unlock()
	})
}

func TestSemaphoreCountsAndRefusesMisuse(t *testing.T) {
	s := structured.NewSemaphore(2, 3)
	require.NoError(t, s.Acquire(t.Context()))
	require.NoError(t, s.Acquire(t.Context()))
	assert.False(t, s.TryAcquire())
	for range 3 {
		s.Release()
	}
	assert.Equal(t, structured.SemaphoreStatistics{Value: 3, Max: 3}, s.Statistics())
	requirePanic(t, "Semaphore.Release beyond the maximum", s.Release)
	structured.NewSemaphore(0, 0).Release()
	requirePanic(t, "negative", func() { structured.NewSemaphore(-1, 0) })
	requirePanic(t, "negative", func() { structured.NewSemaphore(0, -1) })
	requirePanic(t, "more permits than the maximum", func() { structured.NewSemaphore(2, 1) })
}

func TestLimiterBorrowers(t *testing.T) {
	l := structured.NewCapacityLimiter(3)
	require.NoError(t, l.Acquire(t.Context()))
	require.NoError(t, l.AcquireOnBehalfOf(t.Context(), "a"))
	assert.ErrorIs(t, l.AcquireOnBehalfOf(t.Context(), "a"), structured.ErrBusy)
	assert.False(t, l.TryAcquireOnBehalfOf("a"))
	assert.True(t, l.TryAcquireOnBehalfOf("b"))
	assert.False(t, l.TryAcquire())
	st := l.Statistics()
	assert.ElementsMatch(t, []any{"a", "b"}, st.Borrowers)
	st.Borrowers = nil
	assert.Equal(t, structured.LimiterStatistics{Borrowed: 3, Total: 3}, st)
	l.ReleaseOnBehalfOf("a")
	l.ReleaseOnBehalfOf("b")
	l.Release()
	assert.Zero(t, l.Statistics().Borrowed)
	requirePanic(t, "has borrowed nothing", func() { l.ReleaseOnBehalfOf("a") })
	requirePanic(t, "Release without Acquire", l.Release)
	requirePanic(t, "negative", func() { structured.NewCapacityLimiter(-1) })
	requirePanic(t, "negative", func() { l.SetTotal(-1) })
	requirePanic(t, "nil borrower", func() { l.TryAcquireOnBehalfOf(nil) })
	requirePanic(t, "cannot be compared", func() { l.TryAcquireOnBehalfOf([]int{1}) })
	requirePanic(t, "does not equal itself", func() { l.TryAcquireOnBehalfOf([2]float64{1, math.NaN()}) })
}

func TestLimiterBorrowerThatWaitsCannotWaitTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := structured.NewCapacityLimiter(0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got := make(chan error, 1)
		go func() { got <- l.AcquireOnBehalfOf(ctx, "a") }()
		synctest.Wait()
		assert.ErrorIs(t, l.AcquireOnBehalfOf(t.Context(), "a"), structured.ErrBusy)
		assert.ErrorIs(t, <-got, context.DeadlineExceeded)
		l.SetTotal(1)
		assert.True(t, l.TryAcquireOnBehalfOf("a"))
		l.ReleaseOnBehalfOf("a")
	})
}

func TestRaisingTheTotalWakesTheRightNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := structured.NewCapacityLimiter(1)
		for range 5 {
			go func() { assert.NoError(t, l.Acquire(t.Context())) }()
		}
		synctest.Wait()
		assert.Equal(t, structured.LimiterStatistics{Borrowed: 1, Total: 1, Waiting: 4}, l.Statistics())
		l.SetTotal(3)
		synctest.Wait()
		assert.Equal(t, structured.LimiterStatistics{Borrowed: 3, Total: 3, Waiting: 2}, l.Statistics())
		l.SetTotal(9)
		synctest.Wait()
		assert.Equal(t, structured.LimiterStatistics{Borrowed: 5, Total: 9}, l.Statistics())
	})
}

func TestLoweringAndRaisingTheTotalNeverGrantsTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := structured.NewCapacityLimiter(4)
		for range 4 {
			require.True(t, l.TryAcquire())
		}
		for range 4 {
			go func() { assert.NoError(t, l.Acquire(t.Context())) }()
		}
		synctest.Wait()
		l.SetTotal(1)
		l.SetTotal(2)
		l.SetTotal(4)
		synctest.Wait()
		assert.Equal(t, structured.LimiterStatistics{Borrowed: 4, Total: 4, Waiting: 4}, l.Statistics())
		l.SetTotal(2)
		for want := range 3 {
			l.Release()
			synctest.Wait()
			assert.Equal(t, max(2, 3-want), l.Statistics().Borrowed)
		}
		assert.Equal(t, 3, l.Statistics().Waiting)
		for range 5 {
			l.Release()
			synctest.Wait()
		}
		assert.Equal(t, structured.LimiterStatistics{Total: 2}, l.Statistics())
	})
}

func TestGuardTurnsTheSecondAway(t *testing.T) {
	var g structured.Guard
	require.NoError(t, g.Enter())
	assert.Equal(t, structured.GuardStatistics{Entered: true}, g.Statistics())
	assert.ErrorIs(t, g.Enter(), structured.ErrBusy)
	g.Leave()
	assert.Equal(t, structured.GuardStatistics{}, g.Statistics())
	requirePanic(t, "Guard.Leave without Enter", g.Leave)
}
