// Package sockattr holds the attributes of what package net knows about a
// connection: the identities of the keys, and the facts behind them in a form
// that every layer over a socket can put into its own table.
//
// Users find the keys re-exported in packages stream/netconn, tcp and unix.
package sockattr

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/strata-go/strata/attr"
)

var (
	// LocalAddr is the address of this side. Fixed.
	LocalAddr = attr.New[net.Addr]("net.local_addr")

	// RemoteAddr is the address of the peer. Fixed.
	RemoteAddr = attr.New[net.Addr]("net.remote_addr")

	// LocalAddrPort is LocalAddr where that is an IP address and a port. An
	// IPv4 address is one, never the same mapped into IPv6. Fixed.
	LocalAddrPort = attr.New[netip.AddrPort]("net.local_addr_port")

	// RemoteAddrPort is RemoteAddr in the form of LocalAddrPort. Fixed.
	RemoteAddrPort = attr.New[netip.AddrPort]("net.remote_addr_port")

	// Host is the name that was dialed, as the caller wrote it and without the
	// port. Accepted connections have none. Fixed.
	Host = attr.New[string]("net.host")

	// NetFamily is the address family of the socket. Fixed.
	NetFamily = attr.New[Family]("net.family")

	// RawConn gives access to the descriptor, to read and set socket options.
	// Reading or writing through it takes bytes past the stream. After Close
	// its methods fail with net.ErrClosed. Fixed.
	RawConn = attr.NewSecret[syscall.RawConn]("net.raw_conn")

	// NetConn is the net.Conn below the stream, for its options. Its deadlines
	// belong to the stream: to take it over, detach it. After Close its
	// methods fail with net.ErrClosed. Fixed.
	NetConn = attr.NewSecret[net.Conn]("net.conn")

	// TCP is what the kernel knows of a TCP connection. Linux. Live: after
	// Close it is net.ErrClosed.
	TCP = attr.New[TCPInfo]("tcp.info")

	// PeerCred is who was at the other end of a Unix socket when it was
	// connected, as the kernel saw it. Linux, macOS, FreeBSD, NetBSD and
	// OpenBSD. Fixed.
	PeerCred = attr.New[Cred]("unix.peer_cred")

	// KeepFile is a function that has the file of a bound Unix socket stay
	// where it is when the socket closes: another process has the socket, too.
	// There is none where it would stay anyway. Fixed.
	KeepFile = attr.NewSecret[func()]("unix.keep_file")
)

// A Family is an address family.
type Family string

// The families of sockets.
const (
	IPv4 Family = "ipv4"
	IPv6 Family = "ipv6"
	Unix Family = "unix"
)

// A Cred is a process and the user and group that it ran as.
type Cred struct {
	PID int // 0 where the kernel does not tell
	UID int
	GID int
}
