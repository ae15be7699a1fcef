package unix

import (
	"net"
	"os"

	"github.com/strata-go/strata/internal/adopt"
)

// A DescriptorError reports a descriptor that is not what a function needs: FD
// is the descriptor, Got what it is and Want what was needed, as "a listening
// TCP socket". It unwraps to syscall.EBADF, ENOTSOCK, EAFNOSUPPORT,
// EPROTOTYPE, ENOTCONN or EINVAL.
type DescriptorError = adopt.DescriptorError

// What each function needs.
var (
	connected          = adopt.Want{Network: "unix", State: adopt.Connected}
	listening          = adopt.Want{Network: "unix", State: adopt.Listening}
	connectedSeqpacket = adopt.Want{Network: "unixpacket", State: adopt.Connected}
	listeningSeqpacket = adopt.Want{Network: "unixpacket", State: adopt.Listening}
	packet             = adopt.Want{Network: "unixgram"}
)

// FromFile returns the connected stream socket that f is as a Conn, and takes f
// over; one end of a socketpair(2) will do. With an error, a
// [*DescriptorError] if f is something else, f is as it was. Unix systems;
// elsewhere errors.ErrUnsupported.
func FromFile(f *os.File) (*Conn, error) { return adopt.File(f, connected, openConn) }

// FromFD is [FromFile] for a descriptor.
func FromFD(fd uintptr) (*Conn, error) { return adopt.FD(fd, connected, openConn) }

// ListenerFromFile returns the listening stream socket that f is as a Listener,
// and takes f over. Its Close leaves the socket file to whoever made it. Errors
// are those of [FromFile].
func ListenerFromFile(f *os.File) (*Listener, error) {
	return adopt.File(f, listening, openListener)
}

// ListenerFromFD is [ListenerFromFile] for a descriptor.
func ListenerFromFD(fd uintptr) (*Listener, error) {
	return adopt.FD(fd, listening, openListener)
}

// SeqpacketFromFile is [FromFile] for a socket that carries packets in order.
func SeqpacketFromFile(f *os.File) (*SeqpacketConn, error) {
	return adopt.File(f, connectedSeqpacket, openSeqpacket)
}

// SeqpacketFromFD is [SeqpacketFromFile] for a descriptor.
func SeqpacketFromFD(fd uintptr) (*SeqpacketConn, error) {
	return adopt.FD(fd, connectedSeqpacket, openSeqpacket)
}

// SeqpacketListenerFromFile is [ListenerFromFile] for a socket that carries
// packets in order.
func SeqpacketListenerFromFile(f *os.File) (*SeqpacketListener, error) {
	return adopt.File(f, listeningSeqpacket, openSeqpacketListener)
}

// SeqpacketListenerFromFD is [SeqpacketListenerFromFile] for a descriptor.
func SeqpacketListenerFromFD(fd uintptr) (*SeqpacketListener, error) {
	return adopt.FD(fd, listeningSeqpacket, openSeqpacketListener)
}

// PacketFromFile returns the packet socket that f is, connected or not, bound or
// not, as a PacketConn, and takes f over. Errors are those of [FromFile].
func PacketFromFile(f *os.File) (*PacketConn, error) {
	return adopt.File(f, packet, openPacket)
}

// PacketFromFD is [PacketFromFile] for a descriptor.
func PacketFromFD(fd uintptr) (*PacketConn, error) {
	return adopt.FD(fd, packet, openPacket)
}

func openConn(f *os.File) (*Conn, error) {
	conn, err := unixConn(f)
	if err != nil {
		return nil, err
	}
	return wrap(conn, nil), nil
}

func openSeqpacket(f *os.File) (*SeqpacketConn, error) {
	conn, err := unixConn(f)
	if err != nil {
		return nil, err
	}
	return newSeqpacket(conn, nil)
}

func openPacket(f *os.File) (*PacketConn, error) {
	conn, err := unixConn(f)
	if err != nil {
		return nil, err
	}
	return newPacketConn(conn, nil)
}

func openListener(f *os.File) (*Listener, error) {
	ln, err := unixListener(f)
	if err != nil {
		return nil, err
	}
	return wrapListener(ln, nil), nil
}

func openSeqpacketListener(f *os.File) (*SeqpacketListener, error) {
	ln, err := unixListener(f)
	if err != nil {
		return nil, err
	}
	return wrapSeqpacketListener(ln, nil), nil
}

// unixConn and unixListener know the type, of which the descriptor was found
// to be.

func unixConn(f *os.File) (*net.UnixConn, error) {
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UnixConn), nil
}

func unixListener(f *os.File) (*net.UnixListener, error) {
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	return ln.(*net.UnixListener), nil
}
