package attr

import (
	"iter"
	"slices"
)

// A Provider has attributes. Every stream is one.
type Provider interface {
	// Attributes returns the provider's facts. It returns the same set each
	// time, and nil when there are none.
	Attributes() *Set
}

// A Set is the facts of a stream: its own layer's over those of the streams
// that it wraps. It is made once, when the stream is made, by [Table.For],
// [Table.Init] or [Merge]; after that it never changes, and any number of
// goroutines may look things up in it. A nil Set and the zero Set are empty.
//
// A wrapper with no facts of its own returns the set of what it wraps.
type Set struct {
	owner  any // the layer that facts ask
	facts  []fact
	own    uint64 // the bits of facts
	all    uint64 // those of everything below too
	beside []*Set // asked before inner, where more than one stream is wrapped
	inner  *Set
}

// Attributes returns s: a set provides itself.
func (s *Set) Attributes() *Set { return s }

// Merge puts providers side by side: the first that answers wins.
func Merge(inner ...Provider) *Set {
	s := new(Set)
	s.putOver(inner)
	if s.beside == nil {
		return s.inner
	}
	return s
}

// putOver makes s the layer above the given ones.
func (s *Set) putOver(inner []Provider) {
	var sets []*Set
	for _, p := range inner {
		below := setOf(p)
		if below == nil || below == s.inner || slices.Contains(sets, below) {
			continue
		}
		s.all |= below.all
		if s.inner != nil {
			sets = append(sets, s.inner)
		}
		s.inner = below
	}
	s.beside = sets
}

// mayKnow reports whether s or a set below it has a key with this bit.
func (s *Set) mayKnow(bit uint64) bool { return s != nil && s.all&bit != 0 }

func setOf(p Provider) *Set {
	if p == nil {
		return nil
	}
	return p.Attributes()
}

// layers yields s and every set below it once, in the order of lookup.
func layers(s *Set) iter.Seq[*Set] {
	return func(yield func(*Set) bool) {
		var seen []*Set // where ways part they can meet again
		walk(s, &seen, yield)
	}
}

func walk(s *Set, seen *[]*Set, yield func(*Set) bool) bool {
	for ; s != nil; s = s.inner {
		if slices.Contains(*seen, s) {
			return true // and so was all below it
		}
		*seen = append(*seen, s)
		if s.facts != nil && !yield(s) {
			return false
		}
		for _, beside := range s.beside {
			if !walk(beside, seen, yield) {
				return false
			}
		}
	}
	return true
}
