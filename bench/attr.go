package main

import (
	"fmt"

	"github.com/strata-go/strata/attr"
)

// attrCases compare a lookup through layers with the cheapest way to ask
// another object for a value there is: a call through an interface.
var attrCases = []benchCase{
	lookupCase(1), lookupCase(3), lookupCase(5), lookupCase(10), missCase(),
}

var (
	wanted = attr.New[int]("bench.wanted")
	other  = attr.New[int]("bench.other")
	absent = attr.New[int]("bench.absent")
)

// A layer has one fact: the innermost the wanted one, the others another.
type layer struct{ value int }

var (
	innermost = attr.Define(attr.Value(wanted, func(l *layer) int { return l.value }))
	above     = attr.Define(attr.Value(other, func(l *layer) int { return l.value }))
)

type valuer interface{ Value() int }

func (l *layer) Value() int { return l.value }

func layersOf(depth int) *attr.Set {
	set := innermost.For(&layer{value: 7})
	for range depth - 1 {
		set = above.For(&layer{}, set)
	}
	return set
}

func lookupCase(depth int) benchCase {
	return benchCase{
		Name:      fmt.Sprintf("attr/lookup/depth=%d", depth),
		AllocFree: true,
		Setup: func(*cleanup) (ours, theirs side, err error) {
			return lookups(wanted, layersOf(depth)), calls(&layer{value: 7}), nil
		},
	}
}

func missCase() benchCase {
	return benchCase{
		Name:      "attr/lookup/miss",
		AllocFree: true,
		Setup: func(*cleanup) (ours, theirs side, err error) {
			return lookups(absent, layersOf(3)), calls(&layer{value: 7}), nil
		},
	}
}

var sink int

func lookups(k attr.Key[int], p attr.Provider) side {
	return func(n int) error {
		for range n {
			v, _ := k.Lookup(p)
			sink += v
		}
		return nil
	}
}

func calls(v valuer) side {
	return func(n int) error {
		for range n {
			sink += v.Value()
		}
		return nil
	}
}
