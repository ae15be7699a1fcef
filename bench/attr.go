package main

import (
	"fmt"
	"slices"

	"github.com/strata-go/strata/attr"
)

// attrCases compare a lookup through layers with the cheapest way to ask
// another object for a value there is: a call through an interface. No ratio
// is to be had there; what counts is the time.
var attrCases = []benchCase{
	lookupCase("attr/lookup/depth=1", 1, wanted, 7, 0),
	lookupCase("attr/lookup/depth=3", 3, wanted, 7, 15),
	lookupCase("attr/lookup/depth=5", 5, wanted, 7, 0),
	lookupCase("attr/lookup/depth=10", 10, wanted, 7, 0),
	lookupCase("attr/lookup/miss", 3, absent, 0, 6),
}

// Keys beyond the 64th share bits with earlier ones, and a miss of a shared bit
// is no miss at first sight; so there are few.
var (
	wanted  = attr.New[int]("bench.wanted")
	absent  = attr.New[int]("bench.absent")
	other   = attr.New[int]("bench.other")
	fillers = []attr.Key[int]{
		attr.New[int]("bench.a"), attr.New[int]("bench.b"), attr.New[int]("bench.c"), attr.New[int]("bench.d"),
	}
)

// A layer has five facts; the innermost one's third is the wanted one.
type layer struct{ value int }

func (l *layer) Value() int { return l.value }

type valuer interface{ Value() int }

var innermost, above = factsWith(wanted), factsWith(other)

func factsWith(third attr.Key[int]) *attr.Table[*layer] {
	var facts []attr.Fact[*layer]
	for _, key := range slices.Insert(slices.Clone(fillers), 2, third) {
		facts = append(facts, attr.Value(key, (*layer).Value))
	}
	return attr.Define(facts...)
}

func layersOf(depth int) *attr.Set {
	set := innermost.For(&layer{value: 7})
	for range depth - 1 {
		set = above.For(&layer{}, set)
	}
	return set
}

func lookupCase(name string, depth int, key attr.Key[int], want int, targetNS float64) benchCase {
	return benchCase{
		Name:      name,
		TargetNS:  targetNS,
		AllocFree: true,
		Setup: func(*cleanup) (ours, theirs side, err error) {
			return lookups(key, layersOf(depth), want), calls(&layer{value: 7}, 7), nil
		},
	}
}

func lookups(k attr.Key[int], p attr.Provider, want int) side {
	return func(_ *watch, n int) error {
		sum := 0
		for range n {
			v, _ := k.Lookup(p)
			sum += v
		}
		return addUp(sum, n*want)
	}
}

func calls(v valuer, want int) side {
	return func(_ *watch, n int) error {
		sum := 0
		for range n {
			sum += v.Value()
		}
		return addUp(sum, n*want)
	}
}

// addUp keeps the compiler from dropping calls whose values nobody wants.
func addUp(sum, want int) error {
	if sum != want {
		return fmt.Errorf("values add up to %d, want %d", sum, want)
	}
	return nil
}
