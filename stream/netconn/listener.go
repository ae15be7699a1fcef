package netconn

import (
	"context"
	cryptotls "crypto/tls"
	"net"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
)

// A Listener is a net.Listener as a stream listener, made by [WrapListener].
type Listener struct {
	set    attr.Set
	socket sockattr.Info
	io     ctxio.Listener
}

var _ stream.Listener[*Stream] = (*Listener)(nil)

var listenerTable = attr.Define(sockattr.Facts(func(l *Listener) *sockattr.Info { return &l.socket })...)

// WrapListener makes a listener of ln and takes ln over. It panics when ln is
// nil.
func WrapListener(ln net.Listener) *Listener {
	if ln == nil {
		panic("netconn: WrapListener: nil ln")
	}
	l := &Listener{socket: sockattr.OfListener(ln)}
	listenerTable.Init(&l.set, l)
	l.io.Init(ln)
	return l
}

// Attributes tell the address that is listened on.
func (l *Listener) Attributes() *attr.Set { return &l.set }

// Accept waits for the next connection, made a stream by [Wrap]. Several
// goroutines may accept: they take turns. A canceled Accept has taken none.
// Errors other than net.ErrClosed and the context's are ln's own, and the
// listener goes on.
func (l *Listener) Accept(ctx context.Context) (*Stream, error) {
	conn, err := l.io.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return Wrap(conn), nil
}

// Close closes ln, again and from any goroutine too. Calls of Accept return
// net.ErrClosed.
func (l *Listener) Close() error { return l.io.Close() }

// FromListener makes a net.Listener of ln and takes ln over. What it accepts
// is made a net.Conn by [From], but a stream with a method Std that returns a
// *crypto/tls.Conn, as those of package tls, becomes that: net/http speaks
// HTTP/2 over nothing else. It panics when ln is nil.
func FromListener[S stream.ByteStream](ln stream.Listener[S]) net.Listener {
	if ln == nil {
		panic("netconn: FromListener: nil ln")
	}
	return &netListener[S]{ln: ln}
}

type netListener[S stream.ByteStream] struct {
	ln stream.Listener[S]
}

func (l *netListener[S]) Accept() (net.Conn, error) {
	s, err := l.ln.Accept(context.Background())
	if err != nil {
		return nil, l.opError("accept", err)
	}
	if t, ok := any(s).(interface{ Std() *cryptotls.Conn }); ok {
		return t.Std(), nil
	}
	return From(s), nil
}

func (l *netListener[S]) Close() error { return l.opError("close", l.ln.Close()) }

func (l *netListener[S]) Addr() net.Addr { return addrOf(l.ln, sockattr.LocalAddr) }

// Attributes are those of the stream listener.
func (l *netListener[S]) Attributes() *attr.Set { return l.ln.Attributes() }

// opError gives err the form of net's own errors, whose Temporary servers ask
// before they give up. They look at the error itself, not into it.
func (l *netListener[S]) opError(op string, err error) error {
	if _, ok := err.(*net.OpError); ok || err == nil {
		return err
	}
	return &net.OpError{Op: op, Net: l.Addr().Network(), Addr: l.Addr(), Err: err}
}
