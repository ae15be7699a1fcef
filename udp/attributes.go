package udp

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
)

// What is known about a UDP socket. All but Dropped are keys of package netconn
// and answer also after Close. Only a Conn that was dialed has remote addresses.
var (
	// LocalAddr is the address of this side, a *net.UDPAddr.
	LocalAddr attr.Key[net.Addr] = sockattr.LocalAddr

	// RemoteAddr is the address of the peer, a *net.UDPAddr.
	RemoteAddr attr.Key[net.Addr] = sockattr.RemoteAddr

	// LocalAddrPort is LocalAddr as a netip.AddrPort; an IPv4 address is
	// never mapped into IPv6.
	LocalAddrPort attr.Key[netip.AddrPort] = sockattr.LocalAddrPort

	// RemoteAddrPort is RemoteAddr in the form of LocalAddrPort.
	RemoteAddrPort attr.Key[netip.AddrPort] = sockattr.RemoteAddrPort

	// Family is netconn.IPv4 or netconn.IPv6. A socket for both is of IPv6.
	Family attr.Key[sockattr.Family] = sockattr.NetFamily

	// RawConn gives access to the descriptor, for socket options.
	RawConn attr.Key[syscall.RawConn] = sockattr.RawConn

	// NetConn is the *net.UDPConn, whose deadlines belong to the Conn.
	NetConn attr.Key[net.Conn] = sockattr.NetConn

	// Dropped is how many packets the kernel received for the socket and
	// dropped, as a rule because nobody took those before them and its queue was
	// full. It is live, net.ErrClosed after Close, and there on Linux.
	Dropped = attr.New[uint32]("udp.dropped")
)
