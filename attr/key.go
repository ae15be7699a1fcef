package attr

import (
	"iter"
	"sync/atomic"
)

// A Key is the identity of a fact whose value has type T: two keys are equal
// only if they come from the same call of [New]. Keys are package variables,
// declared once beside the code that knows the value. A Key is safe for
// concurrent use. The zero Key is found nowhere.
type Key[T any] struct {
	id *identity

	// bit is one of 64, dealt out in turn, so that a set can tell with one
	// AND that neither it nor anything below it knows a key.
	bit uint64
}

// New returns a new key. The name is for people, in logs and errors, by
// convention the package and the fact: "tls.alpn_protocol". Keys that share a
// name are still different keys. New panics when the name is empty.
func New[T any](name string) Key[T] { return newKey[T](name, false) }

// NewSecret is [New] for values that must not be printed: keys, tokens, raw
// handles. [LogValue] leaves them out, and [Entry.Secret] warns other
// printers.
func NewSecret[T any](name string) Key[T] { return newKey[T](name, true) }

// Name returns the name given to [New], or "" for the zero Key.
func (k Key[T]) Name() string {
	if k.id == nil {
		return ""
	}
	return k.id.name
}

// Get returns the value that the outermost layer of p has for k.
//
// When no layer has one, the error is a [*NotFoundError], which is
// [ErrNotFound]. When the layer that has it could not tell, the error is that
// layer's own, untouched: absent and failed are different answers.
func (k Key[T]) Get(p Provider) (T, error) {
	s := setOf(p)
	if s.mayKnow(k.bit) { // also asked by search: here a miss costs no call
		if v, err := k.search(s); err != ErrNotFound {
			return v, err
		}
	}
	var zero T
	return zero, k.notFound()
}

// Lookup is [Key.Get] for callers to whom absent and failed are the same.
func (k Key[T]) Lookup(p Provider) (T, bool) {
	v, err := k.search(setOf(p))
	return v, err == nil
}

// All yields every layer's answer, outermost first: the client's address,
// then the load balancer's. A layer that has k but could not tell yields its
// error; layers that do not have k yield nothing.
func (k Key[T]) All(p Provider) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for s := range layers(setOf(p)) {
			if s.own&k.bit == 0 {
				continue
			}
			if v, err := k.ask(s); err != ErrNotFound && !yield(v, err) {
				return
			}
		}
	}
}

// search returns ErrNotFound itself, never wrapped, when no layer answers.
func (k Key[T]) search(s *Set) (T, error) {
	for s.mayKnow(k.bit) {
		if s.own&k.bit != 0 {
			if v, err := k.ask(s); err != ErrNotFound {
				return v, err
			}
		}
		for _, beside := range s.beside {
			if v, err := k.search(beside); err != ErrNotFound {
				return v, err
			}
		}
		s = s.inner
	}
	var zero T
	return zero, ErrNotFound
}

// ask puts the question to one layer.
func (k Key[T]) ask(s *Set) (T, error) {
	for i := range s.facts {
		if f := &s.facts[i]; f.id == k.id {
			// A key gives its identity its type, so this cannot fail.
			return f.get.(func(any) (T, error))(s.owner)
		}
	}
	var zero T
	return zero, ErrNotFound
}

func (k Key[T]) notFound() error {
	if k.id == nil {
		return &NotFoundError{}
	}
	return &k.id.missing
}

// identity is what makes a key itself. Its address is the key.
type identity struct {
	name    string
	secret  bool
	missing NotFoundError // made once, so that a miss allocates nothing
}

var keysMade atomic.Uint64

func newKey[T any](name string, secret bool) Key[T] {
	if name == "" {
		panic("attr: New: empty name")
	}
	id := &identity{name: name, secret: secret, missing: NotFoundError{Name: name}}
	return Key[T]{id: id, bit: 1 << ((keysMade.Add(1) - 1) % 64)}
}
