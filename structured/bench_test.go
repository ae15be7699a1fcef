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
