package main

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"time"
)

// allocTolerance is what the runtime itself may allocate per operation while
// a round runs: timers, the collector's bookkeeping.
const allocTolerance = 0.02

// A benchCase compares two ways to do the same.
type benchCase struct {
	Name string

	// Target is the ratio to stay under; 0 where none is set.
	Target float64

	// AllocFree says that ours may allocate no more than theirs.
	AllocFree bool

	// OneCore runs the case on a single core. A ping-pong on a free-running
	// virtual machine is bimodal: it depends on where the scheduler puts the
	// peer, not on the code.
	OneCore bool

	// Setup makes both sides. Each does its operation n times.
	Setup func(c *cleanup) (ours, theirs side, err error)
}

// A side does its operation n times.
type side func(n int) error

// cleanup undoes a Setup.
type cleanup struct{ undo []func() error }

func (c *cleanup) add(undo func() error) { c.undo = append(c.undo, undo) }

func (c *cleanup) run() error {
	var errs []error
	for _, undo := range slices.Backward(c.undo) {
		errs = append(errs, undo())
	}
	return errors.Join(errs...)
}

// effort is how much to measure.
type effort struct {
	rounds int
	round  time.Duration // about how long one side runs in one round
}

// A result is what a case came to.
type result struct {
	Name         string  `json:"name"`
	OursNS       float64 `json:"ours_ns"`
	TheirsNS     float64 `json:"theirs_ns"`
	Ratio        float64 `json:"ratio"`
	RatioQ1      float64 `json:"ratio_q1"`
	RatioQ3      float64 `json:"ratio_q3"`
	Noise        float64 `json:"noise"`
	OursAllocs   float64 `json:"ours_allocs"`
	TheirsAllocs float64 `json:"theirs_allocs"`
	Target       float64 `json:"target,omitempty"`
	AllocFree    bool    `json:"alloc_free"`
}

func (c benchCase) measure(e effort) (r result, err error) {
	if c.OneCore {
		defer oneCore()()
	}
	var undo cleanup
	defer func() { err = errors.Join(err, undo.run()) }()
	ours, theirs, err := c.Setup(&undo)
	if err != nil {
		return r, err
	}
	n, err := calibrate(theirs, e.round)
	if err != nil {
		return r, err
	}
	if err := ours(n); err != nil { // warm
		return r, err
	}
	r = result{Name: c.Name, Target: c.Target, AllocFree: c.AllocFree}
	if r.OursAllocs, err = allocs(ours, n); err != nil {
		return r, err
	}
	if r.TheirsAllocs, err = allocs(theirs, n); err != nil {
		return r, err
	}
	return r, r.interleave(ours, theirs, n, e.rounds)
}

// interleave runs theirs, ours and theirs again in every round, in an order
// that turns, so that drift and neighbours meet all alike.
func (r *result) interleave(ours, theirs side, n, rounds int) error {
	sides := [3]side{ours, theirs, theirs}
	var times [3][]float64
	for range rounds {
		// A collection that one side caused must not be paid by the next.
		runtime.GC()
		first := len(times[0]) % 3
		for i := range sides {
			k := (first + i) % 3
			t, err := timePerOp(sides[k], n)
			if err != nil {
				return err
			}
			times[k] = append(times[k], t)
		}
	}
	ratios, floor := make([]float64, rounds), make([]float64, rounds)
	for i := range rounds {
		// Two rounds of theirs are twice the evidence of what the round cost.
		ratios[i] = times[0][i] / ((times[1][i] + times[2][i]) / 2)
		floor[i] = times[1][i] / times[2][i]
	}
	r.OursNS, r.TheirsNS = quantile(times[0], .5), quantile(slices.Concat(times[1], times[2]), .5)
	r.RatioQ1, r.Ratio, r.RatioQ3 = quantile(ratios, .25), quantile(ratios, .5), quantile(ratios, .75)
	r.Noise = (quantile(floor, .75) - quantile(floor, .25)) / 2
	return nil
}

// calibrate returns how often s runs in about d.
func calibrate(s side, d time.Duration) (int, error) {
	for n := 1; ; {
		t, err := timePerOp(s, n)
		if err != nil {
			return 0, err
		}
		if total := t * float64(n); total >= float64(d)/2 || n >= 1<<28 {
			return max(1, int(math.Round(float64(d)/t))), nil
		}
		n *= 2
	}
}

func timePerOp(s side, n int) (float64, error) {
	start := time.Now()
	err := s(n)
	return float64(time.Since(start)) / float64(n), err
}

// allocs returns how many allocations one operation costs, on all
// goroutines: the least of three runs, as others may allocate too.
func allocs(s side, n int) (float64, error) {
	least := math.Inf(1)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := s(n); err != nil {
			return 0, err
		}
		runtime.ReadMemStats(&after)
		least = min(least, float64(after.Mallocs-before.Mallocs)/float64(n))
	}
	return least, nil
}

func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(math.Round(q*float64(len(sorted)-1)))]
}
