package attr_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/race"
)

// rich is a layer with a fact of each kind that lookups must not allocate for.
type rich struct {
	facts   attr.Set
	state   bigState
	pointer *bigState
}

type bigState struct {
	name  string
	words [16]uint64
}

var (
	scalar  = attr.New[uint64]("rich.scalar")
	label   = attr.New[string]("rich.text")
	address = attr.New[netip.AddrPort]("rich.address")
	state   = attr.New[bigState]("rich.state")
	pointer = attr.New[*bigState]("rich.pointer")
	absent  = attr.New[bigState]("rich.absent")
	unknown = attr.New[string]("rich.unknown")

	richFacts = attr.Define(
		attr.Value(scalar, func(r *rich) uint64 { return r.state.words[3] }),
		attr.Value(label, func(r *rich) string { return r.state.name }),
		attr.Value(address, func(*rich) netip.AddrPort { return netip.AddrPort{} }),
		attr.Value(state, func(r *rich) bigState { return r.state }),
		attr.Value(pointer, func(r *rich) *bigState { return r.pointer }),
		attr.From(absent, func(*rich) (bigState, error) { return bigState{}, attr.ErrNotFound }),
	)
)

func TestLookupsAllocateNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	r := &rich{pointer: new(bigState)}
	r.state.words[3] = 1 << 40 // does not fit the runtime's table of small values
	r.state.name = "a name"
	richFacts.Init(&r.facts, r)
	p := newLayer("outer", "", attr.Merge(newLayer("beside", ""), &r.facts))
	for _, tt := range []struct {
		name   string
		lookup func()
	}{
		{"scalar", func() { use(scalar.Get(p)) }},
		{"string", func() { use(label.Get(p)) }},
		{"struct", func() { use(state.Get(p)) }},
		{"struct of std", func() { use(address.Get(p)) }},
		{"pointer", func() { use(pointer.Get(p)) }},
		{"absent, asked for", func() { use(absent.Get(p)) }},
		{"absent, not asked for", func() { use(unknown.Get(p)) }},
		{"Lookup", func() { _, _ = state.Lookup(p) }},
		{"nil Provider", func() { use(label.Get(nil)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Zero(t, testing.AllocsPerRun(100, tt.lookup))
		})
	}
}

func TestSetInAStreamNeedsNoAllocation(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	inner := provide(port, 25)
	r := new(rich)
	assert.Zero(t, testing.AllocsPerRun(100, func() { richFacts.Init(&r.facts, r, inner) }))
}

// use is where a lookup's result goes.
//
//go:noinline
func use[T any](T, error) {}
