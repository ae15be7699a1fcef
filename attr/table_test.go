package attr_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
)

func TestDefinePanicsOnTwoFactsForOneKey(t *testing.T) {
	fact := attr.Value(port, func(one) int { return 1 })
	assert.PanicsWithValue(t, "attr: Define: two facts for test.port", func() { attr.Define(fact, fact) })
}

func TestFactsWithoutKeyOrGetterPanic(t *testing.T) {
	get := func(one) (int, error) { return 1, nil }
	value := func(one) int { return 1 }
	var zero attr.Key[int]
	for _, tt := range []struct {
		name, want string
		f          func()
	}{
		{"From without getter", "attr: From: nil get", func() { attr.From[one, int](port, nil) }},
		{"Value without getter", "attr: Value: nil get", func() { attr.Value[one, int](port, nil) }},
		{"From without key", "attr: fact with the zero Key", func() { attr.From(zero, get) }},
		{"Value without key", "attr: fact with the zero Key", func() { attr.Value(zero, value) }},
		{"zero Fact", "attr: Define: zero Fact", func() { attr.Define(attr.Fact[one]{}) }},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.PanicsWithValue(t, tt.want, tt.f) })
	}
}

func TestTableOfAnInterfaceServesEveryImplementation(t *testing.T) {
	type named interface{ Name() string }
	table := attr.Define(attr.Value(name, named.Name))
	for _, n := range []named{valueName("by value"), &pointerName{"by pointer"}} {
		got, err := name.Get(table.For(n))
		require.NoError(t, err)
		assert.Equal(t, n.Name(), got)
	}
}

func TestEmptyTableIsPassThrough(t *testing.T) {
	p := attr.Define[one]().For(1, provide(port, 25))
	got, err := port.Get(p)
	require.NoError(t, err)
	assert.Equal(t, 25, got)
	for e := range attr.All(p) {
		assert.Equal(t, "test.port", e.Name())
	}
}

func TestGettersRunAtEachLookup(t *testing.T) {
	calls := 0
	p := attr.Define(attr.Value(port, func(one) int { calls++; return calls })).For(0)
	for want := 1; want <= 3; want++ {
		got, err := port.Get(p)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

type valueName string

func (v valueName) Name() string { return string(v) }

type pointerName struct{ name string }

func (p *pointerName) Name() string { return p.name }
