package sockattr

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/strata-go/strata/attr"
)

// An Info is what was learned about a socket when its stream was made. The
// zero Info knows nothing.
type Info struct {
	Local  net.Addr
	Remote net.Addr
	Host   string // set by who dialed

	Conn net.Conn        // nil when there is none to show
	Raw  syscall.RawConn // nil when there is no descriptor

	cred    Cred
	hasCred bool
}

// Of returns what conn tells about itself. It asks the kernel for the peer's
// credentials if conn is a *net.UnixConn.
func Of(conn net.Conn) Info {
	info := Info{Local: conn.LocalAddr(), Remote: conn.RemoteAddr(), Conn: conn}
	if c, ok := conn.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			info.Raw = raw
		}
	}
	if _, ok := conn.(*net.UnixConn); ok && info.Raw != nil {
		info.cred, info.hasCred = peerCred(info.Raw)
	}
	return info
}

// OfListener returns what ln tells about itself.
func OfListener(ln net.Listener) Info {
	info := Info{Local: ln.Addr()}
	if c, ok := ln.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			info.Raw = raw
		}
	}
	return info
}

// Facts returns the facts of layers whose Info is what of returns, for
// [attr.Define].
func Facts[S any](of func(S) *Info) []attr.Fact[S] {
	return []attr.Fact[S]{
		attr.From(LocalAddr, func(s S) (net.Addr, error) { return address(of(s).Local) }),
		attr.From(RemoteAddr, func(s S) (net.Addr, error) { return address(of(s).Remote) }),
		attr.From(LocalAddrPort, func(s S) (netip.AddrPort, error) { return addrPort(of(s).Local) }),
		attr.From(RemoteAddrPort, func(s S) (netip.AddrPort, error) { return addrPort(of(s).Remote) }),
		attr.From(Host, func(s S) (string, error) { return of(s).host() }),
		attr.From(NetFamily, func(s S) (Family, error) { return family(of(s).Local) }),
		attr.From(RawConn, func(s S) (syscall.RawConn, error) { return of(s).raw() }),
		attr.From(NetConn, func(s S) (net.Conn, error) { return of(s).conn() }),
		attr.From(TCP, func(s S) (TCPInfo, error) { return of(s).tcp() }),
		attr.From(PeerCred, func(s S) (Cred, error) { return of(s).peer() }),
	}
}

func (i *Info) host() (string, error) {
	if i.Host == "" {
		return "", attr.ErrNotFound
	}
	return i.Host, nil
}

func (i *Info) raw() (syscall.RawConn, error) {
	if i.Raw == nil {
		return nil, attr.ErrNotFound
	}
	return i.Raw, nil
}

func (i *Info) conn() (net.Conn, error) {
	if i.Conn == nil {
		return nil, attr.ErrNotFound
	}
	return i.Conn, nil
}

func (i *Info) peer() (Cred, error) {
	if !i.hasCred {
		return Cred{}, attr.ErrNotFound
	}
	return i.cred, nil
}

func address(a net.Addr) (net.Addr, error) {
	if a == nil {
		return nil, attr.ErrNotFound
	}
	return a, nil
}

// addrPort knows every address type of net that has a port, and those of
// others that follow them.
func addrPort(a net.Addr) (netip.AddrPort, error) {
	src, ok := a.(interface{ AddrPort() netip.AddrPort })
	if !ok {
		return netip.AddrPort{}, attr.ErrNotFound
	}
	ap := src.AddrPort()
	if !ap.IsValid() {
		return netip.AddrPort{}, attr.ErrNotFound
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}

func family(a net.Addr) (Family, error) {
	if _, ok := a.(*net.UnixAddr); ok {
		return Unix, nil
	}
	ap, err := addrPort(a)
	if err != nil {
		return "", err
	}
	if ap.Addr().Is4() {
		return IPv4, nil
	}
	return IPv6, nil
}
