package unix

import (
	"net"
	"syscall"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
)

// What is known about a Unix socket. They are the keys of package netconn and
// answer through every layer above, also after Close. A listener, and a
// PacketConn that was not dialed, has no remote address.
var (
	// LocalAddr is the name of this side, a *net.UnixAddr; it is empty where
	// there is none. An abstract one begins with "@".
	LocalAddr attr.Key[net.Addr] = sockattr.LocalAddr

	// RemoteAddr is the name of the peer, in the form of LocalAddr.
	RemoteAddr attr.Key[net.Addr] = sockattr.RemoteAddr

	// PeerCred is who made the connection, or listened for it, as the kernel
	// saw it at that moment. Linux, macOS, FreeBSD, NetBSD and OpenBSD.
	PeerCred attr.Key[Cred] = sockattr.PeerCred

	// Family is netconn.Unix for every socket of this package.
	Family attr.Key[sockattr.Family] = sockattr.NetFamily

	// RawConn gives access to the descriptor, for socket options.
	RawConn attr.Key[syscall.RawConn] = sockattr.RawConn

	// NetConn is the *net.UnixConn, whose deadlines belong to the stream. A
	// listener has none.
	NetConn attr.Key[net.Conn] = sockattr.NetConn
)

// A Cred is a process and the user and group that it ran as: PID, which is 0
// where the kernel does not tell, UID and GID.
type Cred = sockattr.Cred

// infoOf is what conn tells about itself.
func infoOf(conn *net.UnixConn) sockattr.Info {
	info := sockattr.Of(conn)
	info.Local, info.Remote = unnamed(info.Local), unnamed(info.Remote)
	if a, ok := info.Remote.(*net.UnixAddr); ok && a == nil {
		info.Remote = nil
	}
	return info
}
