package memory_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

// storm calls step until it returns false, each time with a context that is
// canceled at about the time when the call is served.
func storm(parent context.Context, step func(ctx context.Context) bool) {
	for more := true; more; {
		ctx, cancel := context.WithCancel(parent)
		go func() { // ends at once
			for range rand.IntN(3) {
				runtime.Gosched()
			}
			cancel()
		}()
		more = step(ctx)
		cancel()
	}
}

// Whatever is canceled when, each item whose Send returned nil is received
// once, and no other is.
func TestCancelStormLosesAndDoublesNoItem(t *testing.T) {
	const senders, receivers, items = 3, 3, 500
	var canceled atomic.Int64
	for _, size := range []int{0, 1, 7, memory.Unbounded} {
		s, r := memory.New[int](size)
		var sending, receiving sync.WaitGroup
		for i := range senders {
			own, err := s.Clone()
			require.NoError(t, err)
			sending.Go(func() {
				next, end := i*items, (i+1)*items
				storm(t.Context(), func(ctx context.Context) bool {
					if own.Send(ctx, next) == nil {
						next++
					} else {
						canceled.Add(1)
					}
					return next < end
				})
				assert.NoError(t, own.Close())
			})
		}
		require.NoError(t, s.Close())

		received := make([][]int, receivers)
		for i := range receivers {
			receiving.Go(func() {
				storm(t.Context(), func(ctx context.Context) bool {
					item, err := r.Receive(ctx)
					switch {
					case err == nil:
						received[i] = append(received[i], item)
					case ctx.Err() == nil:
						return false
					default:
						canceled.Add(1)
					}
					return r.Statistics().Senders > 0 || r.Statistics().Buffered > 0
				})
			})
		}
		sending.Wait()
		receiving.Wait()

		var all []int
		for _, items := range received {
			assert.True(t, inOrder(items), "size %d: overtaken by an item of the same sender", size)
			all = append(all, items...)
		}
		slices.Sort(all)
		want := make([]int, senders*items)
		for i := range want {
			want[i] = i
		}
		require.Equal(t, want, all, "size %d", size)
		stats := r.Statistics()
		assert.Zero(t, stats.WaitingSenders+stats.WaitingReceivers+stats.Buffered)
	}
	assert.NotZero(t, canceled.Load(), "a storm without a cancel proves nothing")
}

// inOrder reports whether the items of each sender come in their order.
func inOrder(items []int) bool {
	last := map[int]int{}
	for _, item := range items {
		sender := item / 500
		if before, ok := last[sender]; ok && before > item {
			return false
		}
		last[sender] = item
	}
	return true
}

// Handles that close in the middle of the traffic take nothing with them:
// what one receiver did not get another gets.
func TestCloseStormLosesAndDoublesNoItem(t *testing.T) {
	const items = 2000
	for _, size := range []int{0, 1, 7} {
		s, r := memory.New[int](size)
		var wg sync.WaitGroup
		wg.Go(func() {
			for next := 0; next < items; {
				own, err := s.Clone()
				assert.NoError(t, err)
				go func() { assert.NoError(t, own.Close()) }() // ends at once
				for own.Send(t.Context(), next) == nil {
					if next++; next == items {
						break
					}
				}
				assert.NoError(t, own.Close())
			}
			assert.NoError(t, s.Close())
		})
		var mu sync.Mutex
		var all []int
		for range 2 {
			wg.Go(func() {
				for done := false; !done; {
					own, err := r.Clone()
					assert.NoError(t, err)
					go func() { assert.NoError(t, own.Close()) }() // ends at once
					for item, err := range stream.Items(t.Context(), own) {
						if err != nil {
							break
						}
						mu.Lock()
						all = append(all, item)
						mu.Unlock()
					}
					assert.NoError(t, own.Close())
					done = r.Statistics().Senders == 0 && r.Statistics().Buffered == 0
				}
			})
		}
		wg.Wait()
		slices.Sort(all)
		want := make([]int, items)
		for i := range want {
			want[i] = i
		}
		require.Equal(t, want, all, "size %d", size)
	}
}
