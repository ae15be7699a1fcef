package tcp

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/sockattr"
)

// What is known about a TCP socket. They are the keys of package netconn and
// answer through every layer above; all but Info do so also after Close. A
// listener has no remote addresses, and only a connection that was dialed has
// a host.
var (
	// LocalAddr is the address of this side, a *net.TCPAddr.
	LocalAddr attr.Key[net.Addr] = sockattr.LocalAddr

	// RemoteAddr is the address of the peer, a *net.TCPAddr.
	RemoteAddr attr.Key[net.Addr] = sockattr.RemoteAddr

	// LocalAddrPort is LocalAddr as a netip.AddrPort; an IPv4 address is
	// never mapped into IPv6.
	LocalAddrPort attr.Key[netip.AddrPort] = sockattr.LocalAddrPort

	// RemoteAddrPort is RemoteAddr in the form of LocalAddrPort.
	RemoteAddrPort attr.Key[netip.AddrPort] = sockattr.RemoteAddrPort

	// Host is the name or address that was dialed, without the port.
	Host attr.Key[string] = sockattr.Host

	// Family is netconn.IPv4 or netconn.IPv6.
	Family attr.Key[sockattr.Family] = sockattr.NetFamily

	// RawConn gives access to the descriptor, for socket options.
	RawConn attr.Key[syscall.RawConn] = sockattr.RawConn

	// Info is what the kernel knows of a connection at this moment: round-trip
	// times, retransmissions, the congestion window. Linux; elsewhere there is
	// none. After Close it is net.ErrClosed.
	Info attr.Key[TCPInfo] = sockattr.TCP

	// Race tells how the connection was won among the addresses of a name:
	// what was tried when and how it ended. A connection that was accepted,
	// or dialed by address, has none.
	Race attr.Key[*happyeyeballs.Report] = happyeyeballs.Race

	// NetConn is the *net.TCPConn, whose deadlines belong to the Conn. A
	// listener has none.
	NetConn attr.Key[net.Conn] = sockattr.NetConn
)

// A TCPInfo is the value of [Info], see tcp(7). Its fields are
//
//   - RTT, RTTVariance, MinRTT and RTO, as durations;
//   - CongestionWindow and SlowStartThreshold, in segments of SendMSS bytes,
//     and ReceiveMSS;
//   - Unacked, Lost, Retransmits and TotalRetransmits, in segments;
//   - BytesSent, BytesRetransmitted, BytesAcked, BytesReceived and NotSent;
//   - DeliveryRate, in bytes per second.
type TCPInfo = sockattr.TCPInfo
