package listener

import (
	"context"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// Map returns a listener that accepts from ln and hands out what convert
// makes of it. It is for conversions only: convert runs in the caller's
// Accept, and must neither wait nor fail. What takes time belongs into
// [Prepare]. Map takes over ln, and panics when ln or convert is nil.
func Map[S, T any](ln stream.Listener[S], convert func(S) T) *Mapped[S, T] {
	if ln == nil {
		panic("listener: Map: nil listener")
	}
	if convert == nil {
		panic("listener: Map: nil convert")
	}
	return &Mapped[S, T]{ln: ln, convert: convert}
}

// Of returns ln as a listener of any byte stream, for code that must not
// care what S is. Of takes over ln, and panics when it is nil.
func Of[S stream.ByteStream](ln stream.Listener[S]) *Mapped[S, stream.ByteStream] {
	if ln == nil {
		panic("listener: Of: nil listener")
	}
	return Map(ln, func(s S) stream.ByteStream { return s })
}

// A Mapped is a listener of T over a listener of S. Its errors, its
// concurrency and its attributes are those of that one.
type Mapped[S, T any] struct {
	ln      stream.Listener[S]
	convert func(S) T
}

var _ stream.Listener[stream.ByteStream] = (*Mapped[stream.ByteStream, stream.ByteStream])(nil)

// Accept waits for the next stream and converts it. A canceled Accept has
// taken none.
func (m *Mapped[S, T]) Accept(ctx context.Context) (T, error) {
	s, err := m.ln.Accept(ctx)
	if err != nil {
		var none T
		return none, err
	}
	return m.convert(s), nil
}

// Attributes returns those of the listener below.
func (m *Mapped[S, T]) Attributes() *attr.Set { return m.ln.Attributes() }

// Close closes the listener below.
func (m *Mapped[S, T]) Close() error { return m.ln.Close() }
