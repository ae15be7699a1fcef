package main

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/strata-go/strata/structured"
)

// structuredCases compare groups with what else waits for goroutines, one
// operation being a group with all its tasks, and the primitives with those
// that know no contexts, while nobody else wants them.
var structuredCases = slices.Concat(
	groupCases("waitgroup", underWaitGroup, map[int]float64{100: 1.25, 1000: 1.25}),
	groupCases("errgroup", underErrgroup, nil),
	groupCases("conc", underPool, map[int]float64{1: 1, 10: 1, 100: 1, 1000: 1}),
	[]benchCase{
		{Name: "structured/cancel-10000/errgroup", Setup: cancelMany},
		uncontended("structured/mutex/sync.Mutex", ourMutex, theirMutex),
		uncontended("structured/semaphore/x-sync", ourSemaphore, theirSemaphore),
		uncontended("structured/event/closed-channel", ourEvent, closedChannel),
	},
)

func groupCases(rival string, theirs func(n int) error, targets map[int]float64) []benchCase {
	var cases []benchCase
	for _, tasks := range []int{1, 10, 100, 1000} {
		cases = append(cases, benchCase{
			Name:   fmt.Sprintf("structured/group-%d/%s", tasks, rival),
			Target: targets[tasks],
			Setup: func(*cleanup) (side, side, error) {
				return repeated(tasks, underGroup), repeated(tasks, theirs), nil
			},
		})
	}
	return cases
}

func repeated(tasks int, group func(n int) error) side {
	return func(_ *watch, n int) error {
		for range n {
			if err := group(tasks); err != nil {
				return err
			}
		}
		return nil
	}
}

func nothing(context.Context) error { return nil }

func underGroup(n int) error {
	f := nothing
	return structured.Run(context.Background(), func(_ context.Context, g *structured.Group) error {
		for range n {
			g.Go("task", f)
		}
		return nil
	})
}

func underWaitGroup(n int) error {
	ctx, f := context.Background(), nothing
	var wg sync.WaitGroup
	for range n {
		wg.Add(1)
		go func() { // WaitGroup.Go would allocate once more
			defer wg.Done()
			_ = f(ctx)
		}()
	}
	wg.Wait()
	return nil
}

func underErrgroup(n int) error {
	f := nothing
	g, ctx := errgroup.WithContext(context.Background())
	for range n {
		g.Go(func() error { return f(ctx) })
	}
	return g.Wait()
}

func underPool(n int) error {
	f := nothing
	p := pool.New().WithContext(context.Background())
	for range n {
		p.Go(f)
	}
	return p.Wait()
}

// cancelMany measures how long it takes from the cancellation of 10,000 tasks
// that wait until all of them have ended. Their start is not timed.
func cancelMany(*cleanup) (ours, theirs side, err error) {
	const tasks = 10_000
	ours = func(w *watch, n int) error {
		for range n {
			w.stop()
			err := structured.Run(context.Background(), func(_ context.Context, g *structured.Group) error {
				startWaiting(tasks, func(f func(context.Context) error) { g.Go("task", f) })
				w.start()
				g.Cancel(nil)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	theirs = func(w *watch, n int) error {
		for range n {
			w.stop()
			ctx, cancel := context.WithCancel(context.Background())
			g, ctx := errgroup.WithContext(ctx)
			startWaiting(tasks, func(f func(context.Context) error) { g.Go(func() error { return f(ctx) }) })
			w.start()
			cancel()
			_ = g.Wait() // context.Canceled, as ordered
		}
		return nil
	}
	return ours, theirs, nil
}

// startWaiting starts n tasks that wait for their context, and returns when
// all of them run.
func startWaiting(n int, start func(f func(context.Context) error)) {
	var running sync.WaitGroup
	running.Add(n)
	for range n {
		start(func(ctx context.Context) error {
			running.Done()
			<-ctx.Done()
			return ctx.Err()
		})
	}
	running.Wait()
}

func uncontended(name string, ours, theirs func(context.Context) func() error) benchCase {
	many := func(once func() error) side {
		return func(_ *watch, n int) error {
			for range n {
				if err := once(); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return benchCase{
		Name:      name,
		AllocFree: true,
		Setup: func(*cleanup) (side, side, error) {
			return many(ours(oneContext.ctx)), many(theirs(oneContext.ctx)), nil
		},
	}
}

func ourMutex(ctx context.Context) func() error {
	var m structured.Mutex
	return func() error {
		if err := m.Lock(ctx); err != nil {
			return err
		}
		m.Unlock()
		return nil
	}
}

func theirMutex(context.Context) func() error {
	var m sync.Mutex
	locked := 0
	return func() error {
		m.Lock()
		locked++
		m.Unlock()
		return nil
	}
}

func ourSemaphore(ctx context.Context) func() error {
	s := structured.NewSemaphore(1, 1)
	return func() error {
		if err := s.Acquire(ctx); err != nil {
			return err
		}
		s.Release()
		return nil
	}
}

func theirSemaphore(ctx context.Context) func() error {
	s := semaphore.NewWeighted(1)
	return func() error {
		if err := s.Acquire(ctx, 1); err != nil {
			return err
		}
		s.Release(1)
		return nil
	}
}

func ourEvent(ctx context.Context) func() error {
	var e structured.Event
	e.Set()
	return func() error { return e.Wait(ctx) }
}

// closedChannel waits as one does who can be canceled.
func closedChannel(ctx context.Context) func() error {
	c := make(chan struct{})
	close(c)
	return func() error {
		select {
		case <-c:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
