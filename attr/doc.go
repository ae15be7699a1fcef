// Package attr finds facts about a stack of layers by typed keys.
//
// A network connection is a stack: lines over TLS over a PROXY header over
// TCP. Each layer knows something: the ALPN protocol, the client's address,
// the socket. With this package each declares what it knows, and code that
// holds the top asks for any of it:
//
//	proto, err := tls.ALPN.Get(conn)
//
// A [Key] is the identity of a fact and carries the type of its value. A
// [Provider] has attributes, which are a [Set]: a layer's own facts over the
// sets of what it wraps. The outermost layer that answers wins, so a wrapper
// overrides a fact by declaring the same key. A [Table] of [Fact] values says
// once for a type how to tell its facts:
//
//	// Version is the version of the protocol that was agreed on. Fixed.
//	var Version = attr.New[int]("proto.version")
//
//	var facts = attr.Define(
//		attr.Value(Version, func(c *Conn) int { return c.version }),
//	)
//
//	func Wrap(inner stream.ByteStream) *Conn {
//		c := &Conn{inner: inner, version: 2}
//		facts.Init(&c.facts, c, inner)
//		return c
//	}
//
//	func (c *Conn) Attributes() *attr.Set { return &c.facts }
//
// A wrapper with no facts of its own returns inner.Attributes(). [Key.All] and
// [All] look past the outermost answer; All yields an [Entry] for each fact,
// and [LogValue] logs them.
//
// # Absent and failed
//
// [Key.Get] fails in two ways. When no layer has the fact, the error is
// [ErrNotFound]; that includes what a protocol did not negotiate, which is
// absent and not empty. When the layer that has it cannot tell it, the error
// is that layer's own, untouched, and layers below are not asked.
//
// # Fixed and live
//
// The comment of each key says which of the two it is. A fixed fact was
// captured when its layer was made, and still answers after the stream was
// closed: addresses, the state of TLS after the handshake, the credentials of
// the peer. A live one is asked for at each lookup, from the kernel or from
// the session, and is net.ErrClosed after Close: a round-trip time, the state
// of a process.
//
// # Getters
//
// A getter runs at every lookup, in any goroutine and several at once. It
// does not block, does no network I/O, changes nothing, and returns nothing
// that must be closed. It does not make a value of its own layer's type
// either: as the constructor uses the table, and the table the getter, the
// compiler reports an initialization cycle. That holds for all that mentions
// the table, so what a getter calls stays small.
//
// # Cost
//
// A lookup allocates nothing when the value is a scalar, a string, a struct or
// a pointer, nor when nobody has it. It takes some 10 ns through three
// layers. A set knows by one AND with a 64-bit mask that neither it nor
// anything below has a key, so that a miss takes 4 ns at any depth.
package attr
