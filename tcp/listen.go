package tcp

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
)

// ListenConfig says how [Listen] goes about it. A nil ListenConfig and the
// zero one mean all defaults. Listen copies it.
type ListenConfig struct {
	// KeepAlive is that of DialConfig, for accepted connections.
	KeepAlive time.Duration

	// Nagle is that of DialConfig, for accepted connections.
	Nagle bool
}

// A Listener accepts TCP connections. Several goroutines may accept at once.
type Listener struct {
	io    ctxio.Listener
	info  sockattr.Info
	nagle bool
	facts attr.Set
}

var listenerFacts = attr.Define(sockattr.Facts(func(l *Listener) *sockattr.Info { return &l.info })...)

var _ stream.Listener[*Conn] = (*Listener)(nil)

// Listen opens a socket on addr, "host:port", for which the kernel starts to
// complete connections at once. An empty host means all addresses, IPv4 and
// IPv6; of a name's addresses one is used, an IPv4 one if there is any. Port 0
// means a free one, which LocalAddr tells.
//
// Listen sets SO_REUSEADDR, but on Windows. The context bounds the call
// alone, not the listener.
func Listen(ctx context.Context, addr string, cfg *ListenConfig) (*Listener, error) {
	var c ListenConfig
	if cfg != nil {
		c = *cfg
	}
	if err := stream.ContextError(ctx); err != nil {
		return nil, fmt.Errorf("tcp: listen %s: %w", addr, err)
	}
	if addr == "" {
		return nil, fmt.Errorf("tcp: listen: %w", &net.AddrError{Err: "empty address"})
	}
	lc := net.ListenConfig{KeepAlive: c.KeepAlive}
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err // a *net.OpError, which says all there is
	}
	l := WrapListener(ln.(*net.TCPListener))
	l.nagle = c.Nagle
	return l, nil
}

// WrapListener returns ln as a Listener. It takes ln over, whose deadline it
// clears, and panics when ln is nil.
func WrapListener(ln *net.TCPListener) *Listener {
	if ln == nil {
		panic("tcp: WrapListener: nil ln")
	}
	l := &Listener{info: sockattr.OfListener(ln)}
	l.io.Init(ln)
	listenerFacts.Init(&l.facts, l)
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
	if err := setNagle(c, l.nagle); err != nil {
		return nil, err
	}
	return wrap(c, "", nil), nil
}

// Close closes the socket, so that its address can be bound again. The kernel
// resets connections that nobody has accepted.
func (l *Listener) Close() error { return l.io.Close() }

// Attributes are LocalAddr, LocalAddrPort, Family and RawConn. All are fixed.
func (l *Listener) Attributes() *attr.Set { return &l.facts }
