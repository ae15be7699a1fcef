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

	// TargetNS is what ours may take per operation, where the target is not
	// a ratio; 0 where none is set.
	TargetNS float64

	// AllocFree says that ours may allocate no more than theirs.
	AllocFree bool

	// OneCore runs the case on a single core. A ping-pong on a free-running
	// virtual machine is bimodal: it depends on where the scheduler puts the
	// peer, not on the code.
	OneCore bool

	// Setup makes both sides.
	Setup func(c *cleanup) (ours, theirs side, err error)

	// Footprint, in place of Setup, measures the heap that one thing of ours and
	// one of theirs holds, in bytes.
	Footprint func() (ours, theirs float64, err error)

	// MaxExtra is how many bytes ours may hold more than theirs.
	MaxExtra float64
}

// A side does its operation n times. It may stop the watch, which runs, for
// what does not belong to the operation.
type side func(w *watch, n int) error

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

var (
	fullEffort  = effort{rounds: 601, round: time.Millisecond}
	quickEffort = effort{rounds: 101, round: time.Millisecond}
)

// fewest is how many rounds there are of an operation that takes long.
const fewest = 15

// plan returns how many operations make a round, and how many rounds there
// are: fewer where a single operation takes longer than a round should.
func (e effort) plan(perOp time.Duration) (n, rounds int) {
	if perOp <= e.round {
		return int(e.round / max(1, perOp)), e.rounds
	}
	fit := int(time.Duration(e.rounds) * e.round / perOp)
	return 1, min(e.rounds, max(fewest, fit))
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

	OursBytes   float64 `json:"ours_bytes,omitempty"`
	TheirsBytes float64 `json:"theirs_bytes,omitempty"`
	MaxExtra    float64 `json:"max_extra_bytes,omitempty"`

	targetNS float64
}

func (c benchCase) measure(e effort) (r result, err error) {
	if c.Footprint != nil {
		r = result{Name: c.Name, MaxExtra: c.MaxExtra}
		r.OursBytes, r.TheirsBytes, err = c.Footprint()
		return r, err
	}
	if c.OneCore {
		defer oneCore()()
	}
	var undo cleanup
	defer func() { err = errors.Join(err, undo.run()) }()
	// Two of each: what sockets happen to be given, a queue or a place in
	// memory, makes a difference that does not go away with more rounds. So
	// it counts as noise.
	var ours, theirs [2]side
	for i := range 2 {
		if ours[i], theirs[i], err = c.Setup(&undo); err != nil {
			return r, err
		}
	}
	perOp, err := slowest(e.round, ours[0], ours[1], theirs[0], theirs[1])
	if err != nil {
		return r, err
	}
	n, rounds := e.plan(perOp)
	r = result{Name: c.Name, Target: c.Target, AllocFree: c.AllocFree, targetNS: c.TargetNS}
	if r.OursAllocs, err = allocs(ours[0], n); err != nil {
		return r, err
	}
	if r.TheirsAllocs, err = allocs(theirs[0], n); err != nil {
		return r, err
	}
	return r, r.interleave(ours, theirs, n, rounds)
}

// interleave runs all four in every round, in an order that turns, so that
// drift and neighbors meet all alike.
func (r *result) interleave(ours, theirs [2]side, n, rounds int) error {
	sides := [4]side{ours[0], theirs[0], ours[1], theirs[1]}
	var us, them, ratios, floor []float64
	for round := range rounds {
		runtime.GC() // what earlier rounds left is nobody's to collect in this one
		var t [4]float64
		for i := range sides {
			k := (round + i) % len(sides)
			var err error
			if t[k], err = timePerOp(sides[k], n); err != nil {
				return err
			}
		}
		us, them = append(us, t[0], t[2]), append(them, t[1], t[3])
		ratios = append(ratios, (t[0]+t[2])/(t[1]+t[3]))
		floor = append(floor, t[1]/t[3])
	}
	r.OursNS, r.TheirsNS = quantile(us, .5), quantile(them, .5)
	r.RatioQ1, r.Ratio, r.RatioQ3 = quantile(ratios, .25), quantile(ratios, .5), quantile(ratios, .75)
	r.Noise = max(1-quantile(floor, .25), quantile(floor, .75)-1)
	return nil
}

// slowest returns what an operation takes on the slowest side, from runs of
// about d, which also warm all of them up.
func slowest(d time.Duration, sides ...side) (perOp time.Duration, err error) {
	for _, s := range sides {
		t, err := calibrate(s, d)
		if err != nil {
			return 0, err
		}
		perOp = max(perOp, t)
	}
	return perOp, nil
}

// calibrate returns what an operation takes, rounded up: the least of three
// runs, as the first may do what is done once, and any may be interrupted.
func calibrate(s side, d time.Duration) (perOp time.Duration, err error) {
	for n := 1; ; n *= 2 {
		least := math.Inf(1)
		for range 3 {
			t, err := timePerOp(s, n)
			if err != nil {
				return 0, err
			}
			least = min(least, t)
		}
		if least*float64(n) >= float64(d)/2 || n >= 1<<28 {
			return time.Duration(math.Ceil(least)), nil
		}
	}
}

func timePerOp(s side, n int) (float64, error) {
	var w watch
	w.start()
	err := s(&w, n)
	w.stop()
	return float64(w.total) / float64(n), err
}

// allocs returns how many allocations one operation costs, on all
// goroutines: the least of three runs, as others may allocate too.
func allocs(s side, n int) (float64, error) {
	least := math.Inf(1)
	for range 3 {
		w := watch{memory: true}
		w.start()
		err := s(&w, n)
		w.stop()
		if err != nil {
			return 0, err
		}
		least = min(least, float64(w.allocs)/float64(n))
	}
	return least, nil
}

// A watch tells how long it ran, or how much was allocated meanwhile: looking
// at the memory takes too long to do both at once.
type watch struct {
	memory bool
	total  time.Duration
	allocs uint64

	since time.Time
	had   uint64
}

func (w *watch) start() {
	if w.memory {
		w.had = mallocs()
		return
	}
	w.since = time.Now()
}

func (w *watch) stop() {
	if w.memory {
		w.allocs += mallocs() - w.had
		return
	}
	w.total += time.Since(w.since)
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(math.Round(q*float64(len(sorted)-1)))]
}
