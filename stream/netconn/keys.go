package netconn

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
)

// What is known about a connection's socket. Streams made by [Wrap] have
// these, as have those of packages tcp, unix and udp, and through them every
// layer above.
var (
	// LocalAddr is the address of this side, a net.Addr. Fixed.
	LocalAddr attr.Key[net.Addr] = sockattr.LocalAddr

	// RemoteAddr is the address of the peer, a net.Addr. Fixed.
	RemoteAddr attr.Key[net.Addr] = sockattr.RemoteAddr

	// LocalAddrPort is LocalAddr as a netip.AddrPort, where it has a port. An
	// IPv4 address is one, never the same mapped into IPv6. Fixed.
	LocalAddrPort attr.Key[netip.AddrPort] = sockattr.LocalAddrPort

	// RemoteAddrPort is RemoteAddr in the form of LocalAddrPort. Fixed.
	RemoteAddrPort attr.Key[netip.AddrPort] = sockattr.RemoteAddrPort

	// Host is the name that was dialed, without the port. Fixed.
	Host attr.Key[string] = sockattr.Host

	// NetFamily is the address family of the socket: [IPv4], [IPv6] or
	// [Unix]. Fixed.
	NetFamily attr.Key[Family] = sockattr.NetFamily

	// RawConn is the way to the socket's options, a syscall.RawConn. It is
	// secret: bytes read or written through it go past the stream. Fixed.
	RawConn attr.Key[syscall.RawConn] = sockattr.RawConn

	// NetConn is the net.Conn below, for its options; RawConn.All and
	// NetConn.All tell those of a whole chain of wrappers. It is secret, and
	// its deadlines belong to the stream. Fixed.
	NetConn attr.Key[net.Conn] = sockattr.NetConn
)

// A Family is an address family.
type Family = sockattr.Family

// The families of sockets.
const (
	IPv4 = sockattr.IPv4
	IPv6 = sockattr.IPv6
	Unix = sockattr.Unix
)
