package unix

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/internal/sockopt"
	"github.com/strata-go/strata/stream"
)

// A Listener accepts connections of a Unix stream socket. Several goroutines
// may accept at once.
type Listener struct {
	accepting
	facts attr.Set
}

var listenerFacts = attr.Define(append(
	sockattr.Facts(func(l *Listener) *sockattr.Info { return &l.info }),
	fileFact(func(l *Listener) *place { return l.place }),
)...)

var _ stream.Listener[*Conn] = (*Listener)(nil)

// Listen opens a stream socket at name, for which the kernel starts to queue
// connections at once. LocalAddr tells the name that an empty one became. The
// context bounds the call alone, not the listener.
func Listen(ctx context.Context, name string, cfg *ListenConfig) (*Listener, error) {
	ln, p, err := listen(ctx, "unix", name, orZero(cfg))
	if err != nil {
		return nil, err
	}
	return wrapListener(ln, p), nil
}

// WrapListener returns ln as a Listener. It takes ln over, whose deadline it
// clears; whether Close removes the socket file is as ln has it. It panics
// when ln is nil or not of a stream socket (net "unix").
func WrapListener(ln *net.UnixListener) *Listener {
	if ln == nil {
		panic("unix: WrapListener: nil ln")
	}
	if ln.Addr().Network() != "unix" {
		panic("unix: WrapListener: ln is " + ln.Addr().Network() + ", not unix")
	}
	return wrapListener(ln, nil)
}

func wrapListener(ln *net.UnixListener, p *place) *Listener {
	l := new(Listener)
	l.init(ln, p)
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
	return wrap(conn.(*net.UnixConn), nil), nil
}

// Attributes are LocalAddr, Family and RawConn. All are fixed.
func (l *Listener) Attributes() *attr.Set { return &l.facts }

// accepting is what the listeners of both kinds are made of.
type accepting struct {
	io    ctxio.Listener
	info  sockattr.Info
	place *place
}

func (a *accepting) init(ln *net.UnixListener, p *place) {
	a.info, a.place = sockattr.OfListener(ln), p
	a.io.Init(ln)
}

// Close removes the socket file, unless another one took its place, and closes
// the socket, so that its name can be bound again. Connections that nobody has
// accepted end.
func (a *accepting) Close() error {
	a.place.leave()
	return a.io.Close()
}

// setBacklog listens once more: package net always asks for the most.
func (cfg *ListenConfig) setBacklog(ln *net.UnixListener) error {
	if cfg.Backlog <= 0 {
		return nil
	}
	raw, err := ln.SyscallConn()
	if err != nil {
		return err
	}
	return sockopt.Control(raw, func(fd uintptr) error { return sockopt.Backlog(fd, cfg.Backlog) })
}

// noBacklog is for sockets that accept no connections.
func (cfg *ListenConfig) noBacklog() error {
	if cfg.Backlog > 0 {
		return fmt.Errorf("unix: backlog of a socket that accepts no connections: %w", syscall.EINVAL)
	}
	return nil
}

// listen opens a socket of either kind.
func listen(ctx context.Context, network, name string, cfg ListenConfig) (*net.UnixListener, *place, error) {
	name, err := spellOwn(name)
	if err != nil {
		return nil, nil, err
	}
	ln, p, err := claim(ctx, name, cfg, func(ctl control) (*net.UnixListener, error) {
		lc := net.ListenConfig{Control: ctl}
		ln, err := lc.Listen(ctx, network, name)
		if err != nil {
			return nil, err
		}
		u := ln.(*net.UnixListener)
		if err := cfg.setBacklog(u); err != nil {
			return nil, errors.Join(err, u.Close())
		}
		u.SetUnlinkOnClose(false) // it would remove whatever is there by then
		return u, nil
	})
	if err != nil {
		return nil, nil, fault(ctx, "listen "+name, err)
	}
	return ln, p, nil
}
