package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var tiny = effort{rounds: 3, round: time.Millisecond}

func TestEveryCaseGivesSaneFiguresAndLeavesNothingBehind(t *testing.T) {
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			procs := runtime.GOMAXPROCS(0)
			r, err := c.measure(tiny)
			require.NoError(t, err)
			goleak.VerifyNone(t, goleak.IgnoreCurrent())
			assert.Equal(t, procs, runtime.GOMAXPROCS(0))
			assert.Equal(t, c.Name, r.Name)
			if c.Footprint != nil {
				assert.Positive(t, r.OursBytes)
				assert.Positive(t, r.TheirsBytes)
				return
			}
			for _, v := range []float64{r.OursNS, r.TheirsNS, r.RatioQ1} {
				assert.Positive(t, v)
				assert.False(t, math.IsInf(v, 0))
			}
			assert.LessOrEqual(t, r.RatioQ1, r.Ratio)
			assert.LessOrEqual(t, r.Ratio, r.RatioQ3)
			assert.GreaterOrEqual(t, r.OursAllocs, 0.0)
			assert.GreaterOrEqual(t, r.TheirsAllocs, 0.0)
		})
	}
}

func TestNamesAreUniqueAndFitTheTable(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range cases {
		assert.False(t, seen[c.Name], c.Name)
		seen[c.Name] = true
		assert.LessOrEqual(t, len(c.Name), nameWidth, c.Name)
		assert.Regexp(t, `^[a-z0-9./=x-]+$`, strings.ToLower(c.Name))
	}
}

// A case takes the runs of its rounds, and before them what calibrating (less
// than six runs of each side) and counting allocations (six runs) take. What
// stops the watch takes no longer than what runs under it, and what takes
// longer than a run gets fewer rounds.
func TestQuickTakesAtMostFiveMinutes(t *testing.T) {
	runs := 4*quickEffort.rounds + 4*6 + 6
	perCase := 2 * time.Duration(runs) * quickEffort.round
	const setup = time.Second
	assert.LessOrEqual(t, time.Duration(len(cases))*(perCase+setup), 5*time.Minute)

	_, rounds := quickEffort.plan(time.Hour)
	assert.Equal(t, fewest, rounds)
}

func TestPlanFillsRoundsAndCutsTheirNumberForLongOperations(t *testing.T) {
	e := effort{rounds: 100, round: time.Millisecond}
	for _, tt := range []struct {
		name      string
		perOp     time.Duration
		n, rounds int
	}{
		{"nothing", 0, 1_000_000, 100},
		{"short", time.Microsecond, 1000, 100},
		{"as long as a round", time.Millisecond, 1, 100},
		{"longer", 2 * time.Millisecond, 1, 50},
		{"much longer", time.Second, 1, fewest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, rounds := e.plan(tt.perOp)
			assert.Equal(t, tt.n, n)
			assert.Equal(t, tt.rounds, rounds)
		})
	}
}

// A round of few operations measures their beginning, not them.
func TestASlowFirstRunOrAnInterruptionMakesNoRoundShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		perOp, err := calibrate(func(_ *watch, n int) error {
			took := time.Duration(n) * time.Microsecond
			if runs++; runs == 1 || runs == 8 {
				took += time.Second
			}
			<-time.After(took)
			return nil
		}, time.Millisecond)
		require.NoError(t, err)
		assert.Equal(t, time.Microsecond, perOp)
	})
}

func TestListPrintsTheNamesThatMatch(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-list", "-run", "^attr/lookup/(miss|depth=3)$"}, &out))
	assert.Equal(t, "attr/lookup/depth=3\nattr/lookup/miss\n", out.String())
}

func TestTextHasALineForEachCase(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-quick", "-run", "^attr/lookup/miss$"}, &out))
	printed := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, printed, 2)
	assert.Regexp(t, `^case +ours ns +theirs ns`, printed[0])
	assert.Regexp(t, `^attr/lookup/miss +[0-9.]+ +[0-9.]+ +[0-9.]+ \[[0-9.]+ \.\. [0-9.]+\] +\+-[0-9.]+ .* 6 ns`, printed[1])
}

func TestJSONHasExactlyTheDocumentedFields(t *testing.T) {
	always := []string{
		"alloc_free", "name", "noise", "ours_allocs", "ours_ns",
		"ratio", "ratio_q1", "ratio_q3", "theirs_allocs", "theirs_ns",
	}
	for _, tt := range []struct {
		name string
		r    result
		want []string
	}{
		{"no target", result{Name: "a", targetNS: 5}, always},
		{"a target", result{Name: "a", Target: 1.05}, slices.Sorted(slices.Values(append([]string{"target"}, always...)))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, printJSON(&out, tt.r))
			assert.Equal(t, 1, strings.Count(out.String(), "\n"))
			var fields map[string]any
			require.NoError(t, json.Unmarshal(out.Bytes(), &fields))
			assert.Equal(t, tt.want, slices.Sorted(maps.Keys(fields)))
		})
	}
}

func TestVerdictSaysWhatMissesItsTarget(t *testing.T) {
	for _, tt := range []struct {
		want string
		r    result
	}{
		{"-", result{Ratio: 9}},
		{"1.05", result{Target: 1.05, Ratio: 1.05}},
		{"1.05 OVER", result{Target: 1.05, Ratio: 1.06}},
		{"6 ns", result{targetNS: 6, OursNS: 5.9, Ratio: 4}},
		{"6 ns OVER", result{targetNS: 6, OursNS: 6.1}},
		{"- ALLOCATES", result{AllocFree: true, OursAllocs: 3, TheirsAllocs: 2}},
		{"-", result{OursAllocs: 3, TheirsAllocs: 2}},
		{"+1024 B", result{MaxExtra: 1024, OursBytes: 2024, TheirsBytes: 1000}},
		{"+1024 B OVER", result{MaxExtra: 1024, OursBytes: 2025, TheirsBytes: 1000}},
	} {
		assert.Equal(t, tt.want, tt.r.verdict())
	}
}

// What the other tests rest on: a case is known to fail, and to slow down.
func TestMeasureFindsWhatIsSlowerAndWhatFails(t *testing.T) {
	spin := func(times int) side {
		return func(_ *watch, n int) error {
			sum := 0
			for range n * times {
				sum += len(strings.Repeat("x", 100))
			}
			return addUp(sum, n*times*100)
		}
	}
	failed := errors.New("failed")
	undone := 0
	c := benchCase{Name: "planted", AllocFree: true, Setup: func(undo *cleanup) (side, side, error) {
		undo.add(func() error { undone++; return nil })
		return spin(10), spin(1), nil
	}}
	r, err := c.measure(effort{rounds: 31, round: time.Millisecond})
	require.NoError(t, err)
	assert.Equal(t, 2, undone)
	assert.InDelta(t, 10*r.TheirsAllocs, r.OursAllocs, 1)
	assert.Contains(t, r.verdict(), "ALLOCATES")
	assert.Greater(t, r.Ratio, 1.0)

	c.Setup = func(undo *cleanup) (side, side, error) {
		undo.add(func() error { undone++; return nil })
		return func(*watch, int) error { return failed }, spin(1), nil
	}
	_, err = c.measure(tiny)
	require.ErrorIs(t, err, failed)
	assert.Equal(t, 4, undone)
}

func TestBadArgumentsAreErrors(t *testing.T) {
	var out bytes.Buffer
	require.Error(t, run(t.Context(), []string{"-run", "("}, &out))
	require.Error(t, run(t.Context(), []string{"surplus"}, &out))
	require.Error(t, run(t.Context(), []string{"-run", "^nosuchcase$"}, &out))
}

// BenchmarkCases runs each side by itself, for profiles:
//
//	go test -run '^$' -bench 'Cases/^tcp$/ready-read/one-ctx/ours' -cpuprofile cpu.out
func BenchmarkCases(b *testing.B) {
	for _, c := range cases {
		for i, name := range []string{"ours", "theirs"} {
			if c.Setup == nil {
				continue // a Footprint has no time to measure
			}
			b.Run(c.Name+"/"+name, func(b *testing.B) {
				if c.OneCore {
					defer oneCore()()
				}
				var undo cleanup
				defer func() { require.NoError(b, undo.run()) }()
				ours, theirs, err := c.Setup(&undo)
				require.NoError(b, err)
				b.ReportAllocs()
				b.ResetTimer()
				require.NoError(b, []side{ours, theirs}[i](new(watch), b.N))
			})
		}
	}
}
