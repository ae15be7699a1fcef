package structured_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/strata-go/strata/structured"
)

// BenchmarkGroup compares a task of a group with a goroutine under a
// sync.WaitGroup. The two take turns, and the ratio is the median of the
// rounds, so that what else the machine does falls on both.
func BenchmarkGroup(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			inTurns(b, n, func(int) { underGroup(n) }, func(int) { underWaitGroup(n) })
		})
	}
}

func nothing(context.Context) error { return nil }

func underWaitGroup(n int) {
	ctx := context.Background()
	f := nothing
	var wg sync.WaitGroup
	for range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_ = f(ctx)
		}()
	}
	wg.Wait()
}

func underGroup(n int) {
	f := nothing
	_ = structured.Run(context.Background(), func(_ context.Context, g *structured.Group) error {
		for range n {
			g.Go("task", f)
		}
		return nil
	})
}

// inTurns reports the median ratio of ours to theirs, each doing n things.
func inTurns(b *testing.B, n int, ours, theirs func(round int)) {
	repeat := max(1, 1000/n) // a round is long against the clock
	measure := func(f func(int)) time.Duration {
		start := time.Now()
		for i := range repeat {
			f(i)
		}
		return time.Since(start)
	}
	var ratios, us, them []float64
	for b.Loop() {
		o, t := measure(ours), measure(theirs)
		ratios = append(ratios, float64(o)/float64(t))
		us = append(us, float64(o)/float64(repeat*n))
		them = append(them, float64(t)/float64(repeat*n))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(us), "ours-ns")
	b.ReportMetric(median(them), "theirs-ns")
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// BenchmarkUncontended compares what nobody else wants with sync.Mutex, and
// an event that has happened with a closed channel.
func BenchmarkUncontended(b *testing.B) {
	ctx := context.Background()
	var std sync.Mutex
	held := 0
	theirs := func(int) {
		for range 1000 {
			std.Lock()
			held++
			std.Unlock()
		}
	}
	var m structured.Mutex
	b.Run("Mutex", func(b *testing.B) {
		inTurns(b, 1000, func(int) {
			for range 1000 {
				_ = m.Lock(ctx)
				held++
				m.Unlock()
			}
		}, theirs)
	})
	s := structured.NewSemaphore(1, 1)
	b.Run("Semaphore", func(b *testing.B) {
		inTurns(b, 1000, func(int) {
			for range 1000 {
				_ = s.Acquire(ctx)
				held++
				s.Release()
			}
		}, theirs)
	})
	var e structured.Event
	e.Set()
	closed := make(chan struct{})
	close(closed)
	b.Run("Event", func(b *testing.B) {
		inTurns(b, 1000, func(int) {
			for range 1000 {
				_ = e.Wait(ctx)
			}
		}, func(int) {
			for range 1000 {
				<-closed
			}
		})
	})
}

// BenchmarkCancel measures from the cancellation of a group of 10,000 tasks
// to its end.
func BenchmarkCancel(b *testing.B) {
	const tasks = 10000
	var latency []float64
	for b.Loop() {
		var canceled time.Time
		_ = structured.Run(context.Background(), func(ctx context.Context, g *structured.Group) error {
			for range tasks {
				g.Go("task", untilDone)
			}
			canceled = time.Now()
			g.Cancel(nil)
			return nil
		})
		latency = append(latency, float64(time.Since(canceled)))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(latency)/1e6, "ms-to-end")
}
