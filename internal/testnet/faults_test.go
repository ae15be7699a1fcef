package testnet_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/strata-go/strata/internal/testnet"
)

const many = 20000

func TestFatesFollowFromSeedDirectionAndNumber(t *testing.T) {
	f := testnet.Faults{Loss: 0.2, Duplicate: 0.1, Delay: time.Second, Jitter: time.Second}
	first := f.Arrivals(1, many)
	assert.True(t, same(first, f.Arrivals(1, many)), "the second run")
	other := f
	other.Seed = 1
	assert.False(t, same(first, other.Arrivals(1, many)), "another seed")
	assert.False(t, same(first, f.Arrivals(2, many)), "another direction")
}

func same(a, b [][]time.Duration) bool {
	return slices.EqualFunc(a, b, slices.Equal)
}

func TestLossMeetsTheSamePacketsWhateverElseIsWrong(t *testing.T) {
	alone := testnet.Faults{Loss: 0.2}.Arrivals(0, many)
	among := testnet.Faults{Loss: 0.2, Duplicate: 0.5, Jitter: time.Second}.Arrivals(0, many)
	for i := range alone {
		if len(alone[i]) == 0 != (len(among[i]) == 0) {
			t.Fatalf("packet %d is lost in one of the two", i)
		}
	}
}

// The numbers are the same in every run, so the margins are no matter of luck.
func TestSharesAreThoseAskedFor(t *testing.T) {
	var lost, lostInARow, twice, copies int
	var late time.Duration
	before := false
	for _, arrivals := range (testnet.Faults{Loss: 0.2, Duplicate: 0.1, Delay: time.Second, Jitter: time.Second}).Arrivals(3, many) {
		switch len(arrivals) {
		case 0:
			lost++
			if before {
				lostInARow++
			}
		case 2:
			twice++
		}
		before = len(arrivals) == 0
		for _, d := range arrivals {
			if d < time.Second || d >= 2*time.Second {
				t.Errorf("a packet takes %v", d)
			}
			late += d
			copies++
		}
	}
	assert.InDelta(t, 0.2, float64(lost)/many, 0.01)
	assert.InDelta(t, 0.04, float64(lostInARow)/many, 0.005, "each packet for itself")
	assert.InDelta(t, 0.08, float64(twice)/many, 0.01, "of those that are not lost")
	assert.InDelta(t, 1.5, late.Seconds()/float64(copies), 0.01)
}

func TestAllAndNothing(t *testing.T) {
	for _, tt := range []struct {
		faults testnet.Faults
		want   int
	}{
		{testnet.Faults{}, 1},
		{testnet.Faults{Duplicate: 1}, 2},
		{testnet.Faults{Loss: 1, Duplicate: 1}, 0},
	} {
		for _, arrivals := range tt.faults.Arrivals(0, many) {
			if len(arrivals) != tt.want || slices.Max(append(arrivals, 0)) != 0 {
				t.Fatalf("with %+v a packet arrives after %v", tt.faults, arrivals)
			}
		}
	}
}
