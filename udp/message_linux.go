package udp

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"unsafe"

	sysunix "golang.org/x/sys/unix"
)

// A message is what one recvmsg(2) or sendmsg(2) is about, with room for all
// that may come with it, so that a call allocates nothing.
type message struct {
	hdr     sysunix.Msghdr
	iov     sysunix.Iovec
	name    sysunix.RawSockaddrInet6 // has room for one of IPv4
	control [128]byte
}

// An mmsg is struct mmsghdr of sendmmsg(2) and recvmmsg(2).
type mmsg struct {
	hdr sysunix.Msghdr
	len uint32
}

// receiveInto prepares the message for a call that receives into p.
func (m *message) receiveInto(p []byte, control bool) {
	m.iov.Base = unsafe.SliceData(p)
	m.iov.SetLen(len(p))
	m.hdr.Iov = &m.iov
	m.hdr.SetIovlen(1)
	m.hdr.Name = (*byte)(unsafe.Pointer(&m.name))
	m.hdr.Namelen = sysunix.SizeofSockaddrInet6
	m.hdr.Control = nil
	m.hdr.SetControllen(0)
	if control {
		m.hdr.Control = &m.control[0]
		m.hdr.SetControllen(len(m.control))
	}
}

// forget drops what memory of the caller's the message refers to.
func (m *message) forget() { m.iov.Base = nil }

// recvmsg and its like are system calls without the allocations of package
// unix, which makes addresses. They are only for sockets that do not block,
// for which Linux has no EINTR. The compiler puts them into their callers.
func recvmsg(fd uintptr, m *sysunix.Msghdr, flags uintptr) (int, syscall.Errno) {
	n, _, errno := syscall.Syscall(sysunix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(m)), flags)
	return int(n), errno
}

func sendmsg(fd uintptr, m *sysunix.Msghdr) syscall.Errno {
	_, _, errno := syscall.Syscall(sysunix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(m)), sysunix.MSG_NOSIGNAL)
	return errno
}

func recvmmsg(fd uintptr, ms []mmsg, flags uintptr) (int, syscall.Errno) {
	n, _, errno := syscall.Syscall6(sysunix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&ms[0])), uintptr(len(ms)), flags, 0, 0)
	return int(n), errno
}

func sendmmsg(fd uintptr, ms []mmsg) (int, syscall.Errno) {
	n, _, errno := syscall.Syscall6(sysunix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&ms[0])), uintptr(len(ms)), sysunix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

// An addressing turns addresses into those of a socket and back.
type addressing struct {
	four  bool   // the socket is of IPv4
	zone  string // the last zone, and its number
	scope uint32
}

// from returns the address that the kernel has put into name.
func (a *addressing) from(name *sysunix.RawSockaddrInet6) netip.AddrPort {
	switch name.Family {
	case sysunix.AF_INET:
		in := (*sysunix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), bigEndian(in.Port))
	case sysunix.AF_INET6:
		addr := netip.AddrFrom16(name.Addr).Unmap()
		if name.Scope_id != 0 && addr.Is6() {
			addr = addr.WithZone(a.zoneOf(name.Scope_id))
		}
		return netip.AddrPortFrom(addr, bigEndian(name.Port))
	}
	return netip.AddrPort{}
}

// to puts an address into name and returns its length.
func (a *addressing) to(name *sysunix.RawSockaddrInet6, addr netip.AddrPort) (uint32, error) {
	ip := addr.Addr()
	if a.four {
		if ip = ip.Unmap(); !ip.Is4() {
			return 0, syscall.EAFNOSUPPORT
		}
		in := (*sysunix.RawSockaddrInet4)(unsafe.Pointer(name))
		*in = sysunix.RawSockaddrInet4{Family: sysunix.AF_INET, Port: bigEndian(addr.Port()), Addr: ip.As4()}
		return sysunix.SizeofSockaddrInet4, nil
	}
	*name = sysunix.RawSockaddrInet6{Family: sysunix.AF_INET6, Port: bigEndian(addr.Port()), Addr: ip.As16()}
	if zone := ip.Zone(); zone != "" {
		scope, err := a.scopeOf(zone)
		if err != nil {
			return 0, err
		}
		name.Scope_id = scope
	}
	return sysunix.SizeofSockaddrInet6, nil
}

func (a *addressing) zoneOf(scope uint32) string {
	if scope != a.scope {
		a.scope, a.zone = scope, zoneName(scope)
	}
	return a.zone
}

func (a *addressing) scopeOf(zone string) (uint32, error) {
	if zone != a.zone {
		scope, err := zoneNumber(zone)
		if err != nil {
			return 0, err
		}
		a.scope, a.zone = scope, zone
	}
	return a.scope, nil
}

// bigEndian turns a port into network order, or back.
func bigEndian(port uint16) uint16 {
	var p [2]byte
	binary.BigEndian.PutUint16(p[:], port)
	return binary.NativeEndian.Uint16(p[:])
}
