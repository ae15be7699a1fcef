package netconn

import (
	cryptotls "crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync/atomic"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/internal/tlsattr"
)

// below is a chain of net.Conns: the one that was wrapped and those that it
// wraps.
type below struct {
	facts   facts       // of the outermost
	tls     []*session  // of all, the outermost first
	settled atomic.Bool // all of their handshakes are done
}

var (
	streamTable = attr.Define(factsOf(func(s *Stream) *facts { return &s.facts })...)
	layerTable  = attr.Define(factsOf(func(f *facts) *facts { return f })...)
)

// init gives s its attributes: a layer for each net.Conn of the chain, as far
// as the first one that has attributes of its own.
func (b *below) init(s *Stream) {
	chain := ctxio.Chain(s.conn)
	var inner attr.Provider
	if i := slices.IndexFunc(chain, provides); i >= 0 {
		inner = chain[i].(attr.Provider)
		chain = chain[:max(i, 1)]
	}
	for i := len(chain) - 1; i > 0; i-- {
		f := b.learn(chain[i])
		inner = layerTable.For(&f, inner)
	}
	b.facts = b.learn(s.conn)
	slices.Reverse(b.tls)
	streamTable.Init(&s.set, s, inner)
	b.settle()
}

func (b *below) learn(conn net.Conn) facts {
	f := learn(conn)
	if f.tls != nil {
		b.tls = append(b.tls, f.tls)
	}
	return f
}

// settle looks for handshakes that were done by a call of the stream.
func (b *below) settle() {
	if b.settled.Load() {
		return
	}
	for _, t := range b.tls {
		if !t.done() {
			return
		}
	}
	b.settled.Store(true)
}

// engine returns what the engine is to work on for conn.
func (b *below) engine(conn net.Conn) net.Conn {
	if c, ok := conn.(*cryptotls.Conn); ok {
		return &tlsSocket{Conn: c, session: b.facts.tls}
	}
	return conn
}

func provides(conn net.Conn) bool {
	_, ok := conn.(attr.Provider)
	return ok
}

// facts are what one net.Conn tells about itself.
type facts struct {
	socket sockattr.Info
	tls    *session // nil when it is no TLS
}

// LayerType is for [attr.Entry.Layer]: it is the net.Conn that answers.
func (f *facts) LayerType() string { return fmt.Sprintf("%T", f.socket.Conn) }

func learn(conn net.Conn) facts {
	if provides(conn) {
		return facts{socket: sockattr.Info{Conn: conn}} // it tells the rest itself
	}
	f := facts{socket: sockattr.Of(conn)}
	if _, ok := f.socket.Local.(noAddr); ok {
		f.socket.Local, f.socket.Remote = nil, nil
	}
	if c, ok := conn.(stater); ok {
		f.tls = &session{conn: c}
	}
	return f
}

func factsOf[S any](of func(S) *facts) []attr.Fact[S] {
	return slices.Concat(
		sockattr.Facts(func(s S) *sockattr.Info { return &of(s).socket }),
		tlsattr.Facts(func(s S) *cryptotls.ConnectionState { return of(s).tls.known() }),
		[]attr.Fact[S]{attr.From(tlsattr.AllowsTruncation, func(s S) (bool, error) {
			// crypto/tls takes the transport's end for a clean one.
			if of(s).tls.known() == nil {
				return false, attr.ErrNotFound
			}
			return true, nil
		})},
	)
}
