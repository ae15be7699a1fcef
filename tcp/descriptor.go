package tcp

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

var (
	connected = adopt.Want{Network: "tcp", State: adopt.Connected}
	listening = adopt.Want{Network: "tcp", State: adopt.Listening}
)

// FromFile returns the connected TCP socket that f is as a Conn, and takes f
// over. With an error, a [*DescriptorError] if f is something else, f is as it
// was. Unix systems; elsewhere errors.ErrUnsupported.
func FromFile(f *os.File) (*Conn, error) { return adopt.File(f, connected, open) }

// FromFD is [FromFile] for a descriptor.
func FromFD(fd uintptr) (*Conn, error) { return adopt.FD(fd, connected, open) }

// ListenerFromFile returns the listening TCP socket that f is as a Listener,
// and takes f over. Errors are those of [FromFile].
func ListenerFromFile(f *os.File) (*Listener, error) { return adopt.File(f, listening, openListener) }

// ListenerFromFD is [ListenerFromFile] for a descriptor.
func ListenerFromFD(fd uintptr) (*Listener, error) { return adopt.FD(fd, listening, openListener) }

func open(f *os.File) (*Conn, error) {
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	return Wrap(conn.(*net.TCPConn)), nil
}

func openListener(f *os.File) (*Listener, error) {
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	return WrapListener(ln.(*net.TCPListener)), nil
}
