package udp

import (
	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
)

// What is known about a UDP socket. All but Dropped are keys of package netconn
// and answer also after Close. Only a Conn that was dialed has remote addresses.
var (
	// LocalAddr is the address of this side, a *net.UDPAddr.
	LocalAddr = sockattr.LocalAddr

	// RemoteAddr is the address of the peer, a *net.UDPAddr.
	RemoteAddr = sockattr.RemoteAddr

	// LocalAddrPort is LocalAddr as a netip.AddrPort; an IPv4 address is
	// never mapped into IPv6.
	LocalAddrPort = sockattr.LocalAddrPort

	// RemoteAddrPort is RemoteAddr in the form of LocalAddrPort.
	RemoteAddrPort = sockattr.RemoteAddrPort

	// Family is IPv4 or IPv6. A socket for both is IPv6.
	Family = sockattr.NetFamily

	// RawConn gives access to the descriptor, for socket options.
	RawConn = sockattr.RawConn

	// NetConn is the *net.UDPConn, whose deadlines belong to the Conn.
	NetConn = sockattr.NetConn

	// Dropped is how many packets the kernel received for the socket and
	// dropped, as a rule because nobody took those before them and its queue was
	// full. It is live, net.ErrClosed after Close, and there on Linux.
	Dropped = attr.New[uint32]("udp.dropped")
)
