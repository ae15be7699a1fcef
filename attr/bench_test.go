package attr_test

import (
	"fmt"
	"testing"

	"github.com/strata-go/strata/attr"
)

// sink keeps the compiler from dropping a lookup whose value nobody wants.
var sink int

// BenchmarkGet looks for a key that only the innermost of so many layers has,
// under layers that have four others each.
func BenchmarkGet(b *testing.B) {
	for _, depth := range []int{1, 3, 5, 10} {
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			p, key := stack(depth)
			b.ReportAllocs()
			for b.Loop() {
				v, err := key.Get(p)
				if err != nil {
					b.Fatal(err)
				}
				sink = v
			}
		})
	}
}

// BenchmarkMiss looks for a key that none of ten layers has.
func BenchmarkMiss(b *testing.B) {
	p, _ := stack(10)
	missing := attr.New[int]("bench.missing") // the 52nd in a row, so its bit is its own
	b.ReportAllocs()
	for b.Loop() {
		if _, err := missing.Get(p); err == nil {
			b.Fatal("found")
		}
	}
}

// BenchmarkMissSharedBit is a miss whose key shares its bit with one that
// every layer has.
func BenchmarkMissSharedBit(b *testing.B) {
	p, key := stack(3)
	alias := attr.New[int]("bench.alias")
	for attr.Bit(alias) != attr.Bit(key) {
		alias = attr.New[int]("bench.alias")
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := alias.Get(p); err == nil {
			b.Fatal("found")
		}
	}
}

// BenchmarkInterfaceCall is what a lookup competes with.
func BenchmarkInterfaceCall(b *testing.B) {
	var p porter = newFixed(nil)
	b.ReportAllocs()
	for b.Loop() {
		v, err := p.Port()
		if err != nil {
			b.Fatal(err)
		}
		sink = v
	}
}

type porter interface{ Port() (int, error) }

// fixed is a layer with five facts.
type fixed struct {
	facts attr.Set
	port  int
}

func newFixed(table *attr.Table[*fixed], inner ...attr.Provider) *fixed {
	f := &fixed{port: 25}
	if table != nil {
		table.Init(&f.facts, f, inner...)
	}
	return f
}

func (f *fixed) Attributes() *attr.Set { return &f.facts }

//go:noinline
func (f *fixed) Port() (int, error) { return f.port, nil }

// stack returns a provider of so many layers of five facts each, and a key
// that the innermost has in the middle of its table.
func stack(depth int) (attr.Provider, attr.Key[int]) {
	wanted := attr.New[int]("bench.wanted")
	var p attr.Provider
	for i := range depth {
		facts := make([]attr.Fact[*fixed], 5)
		for j := range facts {
			facts[j] = attr.From(attr.New[int]("bench.other"), (*fixed).Port)
		}
		if i == 0 {
			facts[2] = attr.From(wanted, (*fixed).Port)
		}
		p = newFixed(attr.Define(facts...), p)
	}
	return p, wanted
}
