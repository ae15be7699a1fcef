package tcp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"github.com/strata-go/strata/internal/sockopt"
)

// A binding makes the sockets of a Listener.
type binding struct {
	ListenConfig

	// keepAlive is what accepted connections have to be told, where they do
	// not have it from the socket that listens.
	keepAlive net.KeepAliveConfig
}

// A place is where one socket of a listener listens.
type place struct {
	network string     // tcp4, tcp6, or tcp for both
	addr    netip.Addr // the zero Addr for tcp: all addresses
}

func placeOf(a netip.Addr) place {
	if a.Is4() {
		return place{"tcp4", a}
	}
	return place{"tcp6", a}
}

func (p place) at(port uint16) string {
	if !p.addr.IsValid() {
		return ":" + strconv.Itoa(int(port))
	}
	return netip.AddrPortFrom(p.addr, port).String()
}

// local reports whether every host that has the family has the address.
func (p place) local() bool { return p.addr.IsUnspecified() || p.addr.IsLoopback() }

// places returns where to listen for a host.
func (c *ListenConfig) places(ctx context.Context, host string) ([]place, error) {
	addrs := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	dualStack := !c.NoDualStack && c.Family == 0 && runtime.GOOS != "openbsd" && runtime.GOOS != "dragonfly"
	if host != "" {
		var err error
		if addrs, err = c.addrs(ctx, host); err != nil {
			return nil, err
		}
	}
	if dualStack && (host == "" || addrs[0] == netip.IPv6Unspecified()) {
		return []place{{network: "tcp"}}, nil
	}
	var places []place
	for _, a := range addrs {
		if inFamily(c.Family, a) {
			places = append(places, placeOf(a))
		}
	}
	if len(places) == 0 {
		return nil, &net.AddrError{Err: "not an " + c.Family.String() + " address", Addr: host}
	}
	return places, nil
}

// portTries is how often a free port is looked for that is free in the other
// family as well.
const portTries = 32

// bindAll opens a socket at each of the places, with the same port. Where
// port is 0 the system chooses one for the first; a place that has it taken is
// the first to choose in the next try.
func (b *binding) bindAll(ctx context.Context, places []place, port uint16) ([]*net.TCPListener, error) {
	for first, try := 0, 1; ; try++ {
		lns, failed, err := b.bindFrom(ctx, places, first, port)
		if err == nil {
			return lns, nil
		}
		if port != 0 || failed == first || !isAny(err, taken) || try == portTries || ctx.Err() != nil {
			return nil, err
		}
		first = failed
	}
}

// bindFrom begins with the place that has the index first, and leaves out
// families that this host does not have. With an error, which is that of the
// place with the index failed, it leaves nothing open.
func (b *binding) bindFrom(ctx context.Context, places []place, first int, port uint16) (lns []*net.TCPListener, failed int, err error) {
	lns = make([]*net.TCPListener, len(places))
	var missing error
	for k := range places {
		i := (first + k) % len(places)
		ln, err := b.bind(ctx, places[i], port)
		if err == nil {
			lns[i] = ln
			port = uint16(ln.Addr().(*net.TCPAddr).Port)
			continue
		}
		if isAny(err, noFamily) || places[i].local() && isAny(err, noAddress) {
			missing = err
			continue
		}
		for _, ln := range lns {
			if ln != nil {
				err = errors.Join(err, ln.Close())
			}
		}
		return nil, i, err
	}
	lns = slices.DeleteFunc(lns, func(ln *net.TCPListener) bool { return ln == nil })
	if len(lns) == 0 {
		return nil, first, missing
	}
	return lns, 0, nil
}

func (b *binding) bind(ctx context.Context, p place, port uint16) (*net.TCPListener, error) {
	lc := net.ListenConfig{Control: b.control(b.prepare), KeepAlive: -1} // which is left to us
	if b.UserTimeout > 0 || p.addr.Zone() != "" {
		lc.SetMultipathTCP(false) // which has no such option, and forgets zones
	}
	ln, err := lc.Listen(ctx, p.network, p.at(port))
	if err != nil {
		return nil, err
	}
	t := ln.(*net.TCPListener)
	if err := b.setBacklog(t); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// prepare sets the options of a socket that is going to listen.
func (b *binding) prepare(fd uintptr) error {
	if _, keepAlive := b.Options.keepAlive(); keepAlive.Enable && sockopt.KeepAlive(fd, keepAlive) != nil {
		b.keepAlive = keepAlive // as on other systems than Linux, and old ones with Multipath TCP
	}
	if b.ReusePort {
		return sockopt.ReusePort(fd)
	}
	return nil
}

// setBacklog listens once more: package net always asks for the most.
func (b *binding) setBacklog(ln *net.TCPListener) error {
	if b.Backlog <= 0 {
		return nil
	}
	raw, err := ln.SyscallConn()
	if err != nil {
		return err
	}
	return sockopt.Control(raw, func(fd uintptr) error { return sockopt.Backlog(fd, b.Backlog) })
}

// Errors of the system, with the numbers that they have on Windows.
var (
	noFamily  = []syscall.Errno{syscall.EAFNOSUPPORT, 10047}
	noAddress = []syscall.Errno{syscall.EADDRNOTAVAIL, 10049}
	taken     = []syscall.Errno{syscall.EADDRINUSE, 10048}
)

func isAny(err error, errnos []syscall.Errno) bool {
	return slices.ContainsFunc(errnos, func(e syscall.Errno) bool { return errors.Is(err, e) })
}
