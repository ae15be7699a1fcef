package attr

// A Fact is a key together with the way to its value from a layer of type S.
// [From] and [Value] make facts, [Define] collects them.
type Fact[S any] struct {
	fact
	bit uint64
}

// From returns the fact that get tells about a layer.
//
// A getter runs at each lookup, possibly in several goroutines at once. It
// must not block, do network I/O, change anything, or return what has to be
// closed. It returns [ErrNotFound] itself where its layer has no value, for
// example because the protocol did not negotiate one: absent, not empty. Any
// other error ends the lookup and reaches the caller as it is.
//
// From panics when k is the zero Key or get is nil.
func From[S, T any](k Key[T], get func(S) (T, error)) Fact[S] {
	if get == nil {
		panic("attr: From: nil get")
	}
	return newFact[S](k, func(owner any) (T, error) { return get(owner.(S)) })
}

// Value is [From] for values that every layer of type S has.
func Value[S, T any](k Key[T], get func(S) T) Fact[S] {
	if get == nil {
		panic("attr: Value: nil get")
	}
	return newFact[S](k, func(owner any) (T, error) { return get(owner.(S)), nil })
}

// A Table is what layers of type S know about themselves. Declare one per
// type, as a package variable. It is immutable and safe for concurrent use.
type Table[S any] struct {
	facts []fact
	mask  uint64
}

// Define returns the table of the given facts. It panics when two facts have
// the same key, and when one is not from [From] or [Value].
func Define[S any](facts ...Fact[S]) *Table[S] {
	t := &Table[S]{facts: make([]fact, 0, len(facts))}
	seen := make(map[*identity]bool, len(facts))
	for _, f := range facts {
		if f.id == nil {
			panic("attr: Define: zero Fact")
		}
		if seen[f.id] {
			panic("attr: Define: two facts for " + f.id.name)
		}
		seen[f.id] = true
		t.facts = append(t.facts, f.fact)
		t.mask |= f.bit
	}
	return t
}

// For returns the set of s: the facts of the table, over those of what s
// wraps, the first inner provider's before the second's.
func (t *Table[S]) For(s S, inner ...Provider) *Set {
	set := new(Set)
	t.Init(set, s, inner...)
	return set
}

// Init is [Table.For] into a set embedded in the stream, which then needs no
// allocation of its own. The set must not be in use yet, nor be copied after.
func (t *Table[S]) Init(set *Set, s S, inner ...Provider) {
	*set = Set{owner: s, facts: t.facts, own: t.mask, all: t.mask}
	set.putOver(inner)
}

// fact is a Fact after its layer's type was forgotten.
type fact struct {
	id  *identity
	get any                    // func(any) (T, error), with the T of the key
	box func(any) (any, error) // the same for callers that do not know T
}

func newFact[S, T any](k Key[T], get func(any) (T, error)) Fact[S] {
	if k.id == nil {
		panic("attr: fact with the zero Key")
	}
	box := func(owner any) (any, error) { return get(owner) }
	return Fact[S]{fact: fact{id: k.id, get: get, box: box}, bit: k.bit}
}
