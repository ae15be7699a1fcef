package attr

import (
	"fmt"
	"iter"
	"log/slog"
	"slices"
)

// An Entry is one fact of one layer, as [All] finds it.
type Entry struct {
	id       *identity
	owner    any
	value    any
	err      error
	shadowed bool
}

// Name returns the name of the key.
func (e Entry) Name() string { return e.id.name }

// Layer returns the type of the layer that answered: "*tls.Conn". A layer that
// speaks for a value of another type has a method LayerType, which returns that.
func (e Entry) Layer() string {
	if l, ok := e.owner.(interface{ LayerType() string }); ok {
		return l.LayerType()
	}
	return fmt.Sprintf("%T", e.owner)
}

// Value returns what the layer answered when the iteration came to it: the
// value, or the error of a layer that has the fact but could not tell it.
func (e Entry) Value() (any, error) { return e.value, e.err }

// Shadowed reports whether a layer further out answers for the same key, so
// that [Key.Get] never gets here.
func (e Entry) Shadowed() bool { return e.shadowed }

// Secret reports whether the key was made by [NewSecret].
func (e Entry) Secret() bool { return e.id.secret }

// String returns "name=value (layer)", for people, without the value of a
// secret key. The value is what [LogValue] makes of it: the error in place of
// one that could not be told, the type in place of what only fills the screen.
func (e Entry) String() string {
	value := slog.StringValue("[secret]")
	if !e.id.secret {
		value = e.logValue().Resolve()
	}
	return fmt.Sprintf("%s=%+v (%s)", e.Name(), value.Any(), e.Layer())
}

// All yields every fact of every layer, outermost layer first, in a layer in
// the order of its table. A layer reached twice is told once. Facts that a
// layer turns out not to have are not among them.
func All(p Provider) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		var told []*identity
		for s := range layers(setOf(p)) {
			for _, f := range s.facts {
				v, err := f.box(s.owner)
				if err == ErrNotFound {
					continue
				}
				e := Entry{id: f.id, owner: s.owner, value: v, err: err}
				e.shadowed = slices.Contains(told, f.id)
				told = append(told, f.id)
				if !yield(e) {
					return
				}
			}
		}
	}
}
