package streamtest

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"

	"github.com/strata-go/strata/attr"
)

// setStays reports whether p returns the same set each time.
func setStays(p attr.Provider) bool {
	first := p.Attributes()
	return p.Attributes() == first
}

// facts returns every fact of p, by the names of key and layer, and which one
// of those it is.
func facts(p attr.Provider) map[string]attr.Entry {
	all := make(map[string]attr.Entry)
	for e := range attr.All(p) {
		name := e.Name() + " of " + e.Layer()
		for i := 2; ; i++ {
			if _, taken := all[name]; !taken {
				break
			}
			name = fmt.Sprintf("%s of %s (%d)", e.Name(), e.Layer(), i)
		}
		all[name] = e
	}
	return all
}

// compareFacts compares the facts of p before and after it was closed. Those
// that are shared only have to answer.
func compareFacts(p attr.Provider, close func(), shared ...string) error {
	before := facts(p)
	close()
	after := facts(p)
	for name, e := range before {
		then, err := e.Value()
		if err != nil {
			return fmt.Errorf("the attribute %s of an open stream is an error: %w", name, err)
		}
		late, ok := after[name]
		if !ok {
			return fmt.Errorf("the attribute %s is absent after Close", name)
		}
		now, err := late.Value()
		if err != nil && !errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("the attribute %s after Close: %w", name, err)
		}
		if err == nil && !same(then, now) && !slices.Contains(shared, e.Name()) {
			return fmt.Errorf("the attribute %s was %v and is %v after Close", name, then, now)
		}
	}
	return nil
}

// passThrough wants every fact of below to be found in top, told by the same
// layer with the same answer.
func passThrough(top, below attr.Provider) error {
	above := facts(top)
	for name, want := range facts(below) {
		got, ok := above[name]
		if !ok {
			return fmt.Errorf("the attribute %s does not pass through", name)
		}
		v, err := want.Value()
		w, gotErr := got.Value()
		if err != gotErr {
			return fmt.Errorf("the attribute %s below is %v, %v, and passes as %v, %v", name, v, err, w, gotErr)
		}
		if err == nil && !same(v, w) {
			return fmt.Errorf("the attribute %s below is %v, and passes as %v", name, v, w)
		}
		if want.Secret() != got.Secret() {
			return fmt.Errorf("the attribute %s is secret below and not above, or the other way round", name)
		}
	}
	return nil
}

// same reports whether two values of a fact are equal, as far as they can be
// compared: functions, also within structs, by what they print as.
func same(v, w any) bool {
	return reflect.DeepEqual(v, w) || fmt.Sprintf("%#v", v) == fmt.Sprintf("%#v", w)
}
