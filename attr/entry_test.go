package attr_test

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
)

// told is an Entry in a form that can be compared.
type told struct {
	Name, Layer      string
	Value            any
	Err              error
	Shadowed, Secret bool
}

func tell(p attr.Provider) []told {
	var all []told
	for e := range attr.All(p) {
		v, err := e.Value()
		all = append(all, told{e.Name(), e.Layer(), v, err, e.Shadowed(), e.Secret()})
	}
	return all
}

func TestAllTellsEveryLayerAndMarksWhatIsShadowed(t *testing.T) {
	p := newLayer("outer", "", fail(bad, errBad, newLayer("inner", "inner.example", provide(bad, 7))))
	want := []told{
		{Name: "test.name", Layer: "*attr_test.layer", Value: "outer"},
		{Name: "test.token", Layer: "*attr_test.layer", Value: "hunter2", Secret: true},
		// The outer layer has no host and so shadows none.
		{Name: "test.bad", Layer: "attr_test.one", Value: 0, Err: errBad},
		{Name: "test.name", Layer: "*attr_test.layer", Value: "inner", Shadowed: true},
		{Name: "test.token", Layer: "*attr_test.layer", Value: "hunter2", Secret: true, Shadowed: true},
		{Name: "test.host", Layer: "*attr_test.layer", Value: "inner.example"},
		// Nor does Get come here: the failure above stops it.
		{Name: "test.bad", Layer: "attr_test.one", Value: 7, Shadowed: true},
	}
	if diff := cmp.Diff(want, tell(p), cmpopts.EquateErrors()); diff != "" {
		t.Errorf("All mismatch (-want +got):\n%s", diff)
	}
}

func TestAllTellsWhatIsReachedTwiceOnce(t *testing.T) {
	shared := provide(port, 25, newLayer("below", ""))
	for _, tt := range []struct {
		name string
		p    attr.Provider
		want []string
	}{
		{"a provider given twice", attr.Merge(shared, shared), []string{"25", "below", "hunter2"}},
		{"two layers over one", attr.Merge(provide(bad, 1, shared), provide(bad, 2, shared)),
			[]string{"1", "25", "below", "hunter2", "2"}},
		{"one side deeper", attr.Merge(shared, provide(bad, 2, shared)),
			[]string{"25", "below", "hunter2", "2"}},
		{"one side higher", attr.Merge(provide(bad, 1, shared), shared),
			[]string{"1", "25", "below", "hunter2"}},
		{"diamond over diamond", attr.Merge(
			attr.Merge(provide(bad, 1, shared), provide(bad, 2, shared)),
			attr.Merge(provide(bad, 3, shared), provide(bad, 4, shared))),
			[]string{"1", "25", "below", "hunter2", "2", "3", "4"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for e := range attr.All(tt.p) {
				v, err := e.Value()
				require.NoError(t, err)
				got = append(got, fmt.Sprint(v))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("values mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAllAgreesWithGet(t *testing.T) {
	p := newLayer("outer", "", attr.Merge(
		provide(port, 1, newLayer("left", "left.example")),
		provide(port, 2, newLayer("right", "right.example"))))
	for e := range attr.All(p) {
		if e.Shadowed() {
			continue
		}
		v, err := e.Value()
		require.NoError(t, err)
		switch e.Name() {
		case "test.name":
			got, err := name.Get(p)
			require.NoError(t, err)
			assert.Equal(t, got, v)
		case "test.port":
			got, err := port.Get(p)
			require.NoError(t, err)
			assert.Equal(t, got, v)
		case "test.host":
			got, err := host.Get(p)
			require.NoError(t, err)
			assert.Equal(t, got, v)
		}
	}
}

func TestAllStopsWhenItsCallerDoes(t *testing.T) {
	p := attr.Merge(newLayer("left", ""), newLayer("right", "", newLayer("below", "")))
	for limit := 1; limit <= 6; limit++ {
		n := 0
		for range attr.All(p) {
			if n++; n == limit {
				break
			}
		}
		assert.Equal(t, limit, n)
	}
}

func TestLogValueTellsWhatGetFinds(t *testing.T) {
	p := newLayer("outer", "", fail(bad, errBad, newLayer("inner", "inner.example")))
	plain, json := logged(p)
	assert.Contains(t, plain, `s.test.name=outer s.test.bad="!ERROR: the kernel said no" s.test.host=inner.example`)
	assert.Contains(t, json, `"s":{"test.name":"outer","test.bad":"!ERROR: the kernel said no","test.host":"inner.example"}`)
}

func TestSecretsAreNotPrinted(t *testing.T) {
	p := newLayer("outer", "", newLayer("inner", ""))
	plain, json := logged(p)
	dump := plain + json
	for e := range attr.All(p) {
		dump += fmt.Sprintln(e) + fmt.Sprintf("%v %+v %s", e, e, e) + fmt.Sprintf("%v", []attr.Entry{e})
		plain, json := logAny(e)
		dump += plain + json
	}
	assert.Contains(t, dump, "outer", "the dump works at all")
	assert.NotContains(t, dump, "hunter2")
}

func TestEntryPrintsNameValueAndLayer(t *testing.T) {
	p := newLayer("outer", "", fail(bad, errBad))
	var got []string
	for e := range attr.All(p) {
		got = append(got, e.String())
	}
	want := []string{
		"test.name=outer (*attr_test.layer)",
		"test.token=[secret] (*attr_test.layer)",
		"test.bad=!ERROR: the kernel said no (attr_test.one)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries mismatch (-want +got):\n%s", diff)
	}
}

func TestEntryPrintsWhatLogValueMakesOfAValue(t *testing.T) {
	for e := range attr.All(holding(&x509.Certificate{Raw: make([]byte, 1000)})) {
		assert.Equal(t, "test.fact=(*x509.Certificate) (struct {})", e.String())
	}
	for e := range attr.All(holding(point{1, time.Second})) {
		assert.Equal(t, "test.fact={X:1 D:1s} (struct {})", e.String())
	}
	for e := range attr.All(holding(logValuer{})) {
		assert.Equal(t, "test.fact=resolved (struct {})", e.String())
	}
}

type logValuer struct{}

func (logValuer) LogValue() slog.Value { return slog.StringValue("resolved") }

func TestLayerIsTheTypeThatALayerSaysItSpeaksFor(t *testing.T) {
	facts := attr.Define(attr.Value(name, func(spokesman) string { return "n" })).For(spokesman{})
	for e := range attr.All(facts) {
		assert.Equal(t, "*net.TCPConn", e.Layer())
		assert.Equal(t, "test.name=n (*net.TCPConn)", e.String())
	}
}

type spokesman struct{}

func (spokesman) LayerType() string { return "*net.TCPConn" }

// logged returns what both handlers of log/slog print of the facts of p.
func logged(p attr.Provider) (plain, json string) { return logAny(attr.LogValue(p)) }

func logAny(v any) (plain, json string) {
	var a, b bytes.Buffer
	slog.New(slog.NewTextHandler(&a, nil)).Info("attributes", "s", v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("attributes", "s", v)
	return a.String(), b.String()
}
