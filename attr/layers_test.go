package attr_test

import (
	"errors"

	"github.com/strata-go/strata/attr"
)

// The keys, the layer type and the stacks that the tests share.
var (
	name  = attr.New[string]("test.name")
	port  = attr.New[int]("test.port")
	host  = attr.New[string]("test.host")
	bad   = attr.New[int]("test.bad")
	token = attr.NewSecret[string]("test.token")

	errBad = errors.New("the kernel said no")
)

// layer is a layer with a name and a secret; it has a host where that is not
// empty.
type layer struct {
	facts       attr.Set
	name, token string
	host        string
}

var layerFacts = attr.Define(
	attr.Value(name, func(l *layer) string { return l.name }),
	attr.Value(token, func(l *layer) string { return l.token }),
	attr.From(host, (*layer).findHost),
)

func newLayer(name, host string, inner ...attr.Provider) *layer {
	l := &layer{name: name, host: host, token: "hunter2"}
	layerFacts.Init(&l.facts, l, inner...)
	return l
}

func (l *layer) Attributes() *attr.Set { return &l.facts }

func (l *layer) findHost() (string, error) {
	if l.host == "" {
		return "", attr.ErrNotFound
	}
	return l.host, nil
}

// one is a provider of one int.
type one int

// provide returns a set with one fact.
func provide(k attr.Key[int], v int, inner ...attr.Provider) *attr.Set {
	return attr.Define(attr.Value(k, func(o one) int { return int(o) })).For(one(v), inner...)
}

// fail returns a set with a fact that cannot be told.
func fail(k attr.Key[int], err error, inner ...attr.Provider) *attr.Set {
	return attr.Define(attr.From(k, func(one) (int, error) { return 0, err })).For(0, inner...)
}

// none is a provider without attributes.
type none struct{}

func (none) Attributes() *attr.Set { return nil }
