package main

import (
	"fmt"

	"github.com/strata-go/strata/attr"
)

// attrCases compare a lookup through layers with the cheapest way to ask
// another object for a value there is: a call through an interface. No ratio
// is to be had there; what counts is the time.
var attrCases = []benchCase{
	lookupCase("attr/lookup/depth=1", 1, wanted, 0),
	lookupCase("attr/lookup/depth=3", 3, wanted, 15),
	lookupCase("attr/lookup/depth=5", 5, wanted, 0),
	lookupCase("attr/lookup/depth=10", 10, wanted, 0),
	lookupCase("attr/lookup/miss", 3, absent, 6),
}

var (
	wanted = attr.New[int]("bench.wanted")
	absent = attr.New[int]("bench.absent")
)

// A layer has five facts; the innermost one's third is the wanted one.
type layer struct{ value int }

func (l *layer) Value() int { return l.value }

type valuer interface{ Value() int }

func layersOf(depth int) *attr.Set {
	set := factsOf(wanted).For(&layer{value: 7})
	for range depth - 1 {
		set = factsOf(attr.New[int]("bench.other")).For(&layer{}, set)
	}
	return set
}

func factsOf(third attr.Key[int]) *attr.Table[*layer] {
	facts := make([]attr.Fact[*layer], 5)
	for i := range facts {
		key := third
		if i != 2 {
			key = attr.New[int](fmt.Sprintf("bench.fact%d", i))
		}
		facts[i] = attr.Value(key, (*layer).Value)
	}
	return attr.Define(facts...)
}

func lookupCase(name string, depth int, key attr.Key[int], targetNS float64) benchCase {
	return benchCase{
		Name:      name,
		TargetNS:  targetNS,
		AllocFree: true,
		Setup: func(*cleanup) (ours, theirs side, err error) {
			return lookups(key, layersOf(depth)), calls(&layer{value: 7}), nil
		},
	}
}

// sink keeps the compiler from dropping a call whose value nobody wants.
var sink int

func lookups(k attr.Key[int], p attr.Provider) side {
	return func(_ *watch, n int) error {
		for range n {
			v, _ := k.Lookup(p)
			sink += v
		}
		return nil
	}
}

func calls(v valuer) side {
	return func(_ *watch, n int) error {
		for range n {
			sink += v.Value()
		}
		return nil
	}
}
