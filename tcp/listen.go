package tcp

import (
	"context"
	"fmt"
	"net"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/internal/hostname"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
)

// ListenConfig says how [Listen] goes about it. A nil ListenConfig and the
// zero one mean all defaults. Listen copies it.
type ListenConfig struct {
	// Options are those of the connections. Control is called for sockets that
	// listen, whose options accepted connections have as well.
	Options

	// Family restricts the addresses of a name, and what an empty host stands
	// for, to one family. Zero means both.
	Family happyeyeballs.Family

	// Resolver finds the addresses of a name. Nil means a
	// happyeyeballs.SystemResolver.
	Resolver happyeyeballs.Resolver

	// NoDualStack makes a socket for IPv6 that and no more: an empty host then
	// stands for two sockets, and "[::]" for one that takes no IPv4. OpenBSD
	// and DragonFly have it no other way.
	NoDualStack bool

	// Backlog is how many connections may wait to be accepted, on each socket.
	// Further ones are not answered until there is room. Zero means as many as
	// the system allows, which is a limit to any other number too. Unix
	// systems; elsewhere errors.ErrUnsupported.
	Backlog int

	// ReusePort lets several listeners with this option, and of this user, have
	// one address; Linux spreads the connections among them (SO_REUSEPORT). Not
	// on Windows.
	ReusePort bool
}

// A Listener accepts TCP connections, on one socket or on several with one
// port; on Unix systems each of several has a second descriptor, to wait with.
// Several goroutines may accept at once.
type Listener struct {
	io        acceptor
	options   Options
	keepAlive net.KeepAliveConfig // see binding
	facts     *attr.Set
}

// An acceptor is the engine over the sockets.
type acceptor interface {
	Accept(ctx context.Context) (net.Conn, error)
	Close() error
}

// A socket is one of those that a Listener listens on, as attributes have it.
type socket struct {
	info  sockattr.Info
	facts attr.Set
}

var socketFacts = attr.Define(sockattr.Facts(func(s *socket) *sockattr.Info { return &s.info })...)

var _ stream.Listener[*Conn] = (*Listener)(nil)

// Listen opens a socket on addr, "host:port", for which the kernel starts to
// complete connections at once. The host and the port are written as for
// [Dial]. Of a name there is a socket for every address, all with the same
// port. An empty host and "[::]" mean all addresses of this host, IPv4 and IPv6,
// "0.0.0.0" those of IPv4. Port 0 or none means one that is free, on all of
// them. The attributes tell the addresses: LocalAddrPort.All yields each.
//
// A name whose addresses cannot all be learned or bound is an error, and then
// no socket is left. But a family that this host does not have is left out if
// there is another one.
//
// Listen sets SO_REUSEADDR, but on Windows. Connections by Multipath TCP are
// taken too, where package net has it so by default (Linux), but for an
// address with a zone and with a UserTimeout. The context bounds the call
// alone, not the listener.
func Listen(ctx context.Context, addr string, cfg *ListenConfig) (*Listener, error) {
	var b binding
	if cfg != nil {
		b.ListenConfig = *cfg
	}
	lns, err := b.listen(ctx, addr)
	var io acceptor
	if err == nil {
		io, err = accepting(lns)
	}
	if err != nil {
		if canceled := stream.ContextError(ctx); canceled != nil {
			err = canceled
		}
		return nil, fmt.Errorf("tcp: listen %s: %w", addr, err)
	}
	l := newListener(io, lns)
	l.options, l.keepAlive = b.Options, b.keepAlive
	return l, nil
}

func (b *binding) listen(ctx context.Context, addr string) ([]*net.TCPListener, error) {
	if err := stream.ContextError(ctx); err != nil {
		return nil, err
	}
	host, port, err := hostname.Split(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	places, err := b.places(ctx, host)
	if err != nil {
		return nil, err
	}
	return b.bindAll(ctx, places, port)
}

// WrapListener returns ln as a Listener. It takes ln over, whose deadline it
// clears, and panics when ln is nil.
func WrapListener(ln *net.TCPListener) *Listener {
	if ln == nil {
		panic("tcp: WrapListener: nil ln")
	}
	return newListener(acceptingFrom(ln), []*net.TCPListener{ln})
}

func newListener(io acceptor, lns []*net.TCPListener) *Listener {
	sockets := make([]attr.Provider, len(lns))
	for i, ln := range lns {
		s := &socket{info: sockattr.OfListener(ln)}
		socketFacts.Init(&s.facts, s)
		sockets[i] = &s.facts
	}
	if len(sockets) == 1 {
		return &Listener{io: io, facts: sockets[0].Attributes()}
	}
	return &Listener{io: io, facts: attr.Merge(sockets...)}
}

// accepting takes lns over, and closes them with an error.
func accepting(lns []*net.TCPListener) (acceptor, error) {
	if len(lns) == 1 {
		return acceptingFrom(lns[0]), nil
	}
	below := make([]net.Listener, len(lns))
	for i, ln := range lns {
		below[i] = ln
	}
	return ctxio.NewListeners(below)
}

func acceptingFrom(ln *net.TCPListener) acceptor {
	l := new(ctxio.Listener)
	l.Init(ln)
	return l
}

// Accept waits for the next connection. A canceled Accept has taken none.
// Errors of the system, such as EMFILE, leave the listener as it is.
func (l *Listener) Accept(ctx context.Context) (*Conn, error) {
	conn, err := l.io.Accept(ctx)
	if err != nil {
		return nil, err
	}
	c := conn.(*net.TCPConn)
	// These fail only if the peer is gone, which the first call will tell.
	_ = l.options.apply(c)
	if l.keepAlive.Enable {
		_ = c.SetKeepAliveConfig(l.keepAlive)
	}
	return wrap(c, "", nil), nil
}

// Close closes the sockets, so that their address can be bound again. The
// kernel resets connections that nobody has accepted.
func (l *Listener) Close() error { return l.io.Close() }

// Attributes are LocalAddr, LocalAddrPort, Family and RawConn, of each socket.
// Those of IPv4 come first. All are fixed.
func (l *Listener) Attributes() *attr.Set { return l.facts }
