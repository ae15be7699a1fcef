package attr_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
)

func TestKeysWithOneNameAreDifferentKeys(t *testing.T) {
	a, b := attr.New[int]("same"), attr.New[int]("same")
	assert.Equal(t, "same", a.Name())
	assert.NotEqual(t, a, b)
	p := provide(a, 1)
	_, ok := b.Lookup(p)
	assert.False(t, ok)
	copied := a
	assert.Equal(t, a, copied)
	v, ok := copied.Lookup(p)
	assert.True(t, ok)
	assert.Equal(t, 1, v)
}

func TestNewPanicsOnAnEmptyName(t *testing.T) {
	assert.PanicsWithValue(t, "attr: New: empty name", func() { attr.New[int]("") })
	assert.PanicsWithValue(t, "attr: New: empty name", func() { attr.NewSecret[int]("") })
}

func TestZeroKeyIsFoundNowhere(t *testing.T) {
	var zero attr.Key[int]
	p := provide(port, 25)
	assert.Empty(t, zero.Name())
	_, err := zero.Get(p)
	require.ErrorIs(t, err, attr.ErrNotFound)
	_, ok := zero.Lookup(p)
	assert.False(t, ok)
	for range zero.All(p) {
		t.Error("the zero Key has a value")
	}
}

func TestNilProvidersAndNilSetsAreEmpty(t *testing.T) {
	for name, p := range map[string]attr.Provider{
		"nil Provider":    nil,
		"nil Set":         (*attr.Set)(nil),
		"zero Set":        new(attr.Set),
		"none":            none{},
		"Merge of none":   attr.Merge(),
		"Merge of nils":   attr.Merge(nil, none{}, (*attr.Set)(nil)),
		"layer over nils": provide(bad, 1, nil, none{}),
	} {
		t.Run(name, func(t *testing.T) {
			v, err := port.Get(p)
			require.ErrorIs(t, err, attr.ErrNotFound)
			assert.Zero(t, v)
			_, ok := port.Lookup(p)
			assert.False(t, ok)
			for range port.All(p) {
				t.Error("it has a value")
			}
		})
	}
}

func TestLookupFindsAFactThroughEveryLayer(t *testing.T) {
	var p attr.Provider = provide(port, 25)
	for depth := range 20 {
		got, err := port.Get(p)
		require.NoError(t, err, "under %d layers", depth)
		assert.Equal(t, 25, got)
		p = newLayer("layer", "", p)
	}
}

func TestOuterLayerOverridesAnInnerOne(t *testing.T) {
	p := newLayer("outer", "outer.example", newLayer("inner", "inner.example"))
	got, err := name.Get(p)
	require.NoError(t, err)
	assert.Equal(t, "outer", got)
	got, ok := host.Lookup(p)
	assert.True(t, ok)
	assert.Equal(t, "outer.example", got)
}

func TestErrNotFoundFromAGetterGoesInward(t *testing.T) {
	p := newLayer("outer", "", newLayer("inner", "inner.example"))
	got, err := host.Get(p)
	require.NoError(t, err)
	assert.Equal(t, "inner.example", got)
}

func TestAbsentIsANotFoundErrorThatNamesTheKey(t *testing.T) {
	_, err := host.Get(newLayer("outer", "", newLayer("inner", "")))
	require.ErrorIs(t, err, attr.ErrNotFound)
	missing, ok := errors.AsType[*attr.NotFoundError](err)
	require.True(t, ok)
	assert.Equal(t, "test.host", missing.Name)
	assert.EqualError(t, err, "attr: no layer has test.host")
	_, err = attr.Key[int]{}.Get(newLayer("outer", ""))
	assert.EqualError(t, err, "attr: no layer has the zero Key")
}

func TestErrorOfAGetterStopsTheSearchUntouched(t *testing.T) {
	_, nested := host.Get(nil)
	for name, want := range map[string]error{
		"any error":                  errBad,
		"a wrapped ErrNotFound":      fmt.Errorf("nested: %w", attr.ErrNotFound),
		"a nested *NotFoundError":    nested,
		"a *NotFoundError of no key": new(attr.NotFoundError),
	} {
		t.Run(name, func(t *testing.T) {
			p := fail(bad, want, provide(bad, 1))
			_, err := bad.Get(newLayer("outer", "", p))
			assert.Same(t, want, err)
			_, ok := bad.Lookup(p)
			assert.False(t, ok)
		})
	}
}

func TestMergeAsksInOrder(t *testing.T) {
	first, second := provide(port, 1), provide(port, 2, newLayer("below", "b.example"))
	for _, tt := range []struct {
		name     string
		p        attr.Provider
		wantPort int
	}{
		{"first wins", attr.Merge(first, second), 1},
		{"second is first", attr.Merge(second, first), 2},
		{"nils are passed over", attr.Merge(nil, none{}, second, first), 2},
		{"of three", attr.Merge(newLayer("x", ""), first, second), 1},
		{"merged again", attr.Merge(attr.Merge(first, newLayer("x", "")), second), 1},
		{"as inner sets of a layer", newLayer("over", "", first, second), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := port.Get(tt.p)
			require.NoError(t, err)
			assert.Equal(t, tt.wantPort, got)
			below, err := host.Get(tt.p)
			require.NoError(t, err)
			assert.Equal(t, "b.example", below, "what only the second has is found too")
		})
	}
}

func TestMergeOfOneProviderIsItsSet(t *testing.T) {
	l := newLayer("only", "")
	assert.Same(t, l.Attributes(), attr.Merge(nil, l, l))
}

func TestErrorBesideStopsTheSearchToo(t *testing.T) {
	_, err := bad.Get(attr.Merge(fail(bad, errBad), provide(bad, 1)))
	assert.Equal(t, errBad, err)
}

func TestAllOfAKeyIsOutermostFirst(t *testing.T) {
	p := newLayer("outer", "client.example",
		newLayer("middle", "",
			newLayer("inner", "balancer.example")))
	var got []string
	for v, err := range host.All(p) {
		require.NoError(t, err)
		got = append(got, v)
	}
	if diff := cmp.Diff([]string{"client.example", "balancer.example"}, got); diff != "" {
		t.Errorf("hosts mismatch (-want +got):\n%s", diff)
	}
	for v := range host.All(p) {
		assert.Equal(t, "client.example", v)
		break
	}
}

func TestAllOfAKeyYieldsAFailureAndGoesOn(t *testing.T) {
	p := fail(bad, errBad, provide(bad, 1, fail(bad, attr.ErrNotFound, provide(bad, 2))))
	var values []int
	var failures []error
	for v, err := range bad.All(p) {
		values, failures = append(values, v), append(failures, err)
	}
	assert.Equal(t, []int{0, 1, 2}, values)
	assert.Equal(t, []error{errBad, nil, nil}, failures)
}

func TestAllOfAKeyTellsASharedLayerOnce(t *testing.T) {
	shared := provide(port, 25)
	p := attr.Merge(newLayer("left", "", shared), newLayer("right", "", shared))
	var got []int
	for v, err := range port.All(p) {
		require.NoError(t, err)
		got = append(got, v)
	}
	assert.Equal(t, []int{25}, got)
}

func TestKeysThatShareABitAreToldApart(t *testing.T) {
	keys := make([]attr.Key[int], 200)
	var p attr.Provider
	for i := range keys {
		keys[i] = attr.New[int]("many")
		if i%2 == 0 {
			p = provide(keys[i], i, p)
		}
	}
	byBit := make(map[uint64]int)
	for i, k := range keys {
		byBit[attr.Bit(k)]++
		v, ok := k.Lookup(p)
		assert.Equal(t, i%2 == 0, ok, "key %d", i)
		if ok {
			assert.Equal(t, i, v)
		}
	}
	assert.Len(t, byBit, 64, "200 keys use all bits, each more than once")
}

func TestSetsServeManyGoroutines(t *testing.T) {
	p := newLayer("outer", "", attr.Merge(newLayer("left", "left.example"), provide(port, 25)))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				v, err := host.Get(p)
				assert.NoError(t, err)
				assert.Equal(t, "left.example", v)
				n := 0
				for range attr.All(p) {
					n++
				}
				assert.Equal(t, 6, n)
				attr.LogValue(p)
				attr.New[int]("made meanwhile")
			}
		})
	}
	wg.Wait()
}
