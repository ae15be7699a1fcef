package udp

import (
	"net"
	"os"

	"github.com/strata-go/strata/internal/adopt"
)

// A DescriptorError reports a descriptor that is not what a function needs: FD
// is the descriptor, Got what it is and Want what was needed, as "a listening
// TCP socket". It unwraps to syscall.EBADF, ENOTSOCK, EAFNOSUPPORT,
// EPROTOTYPE or EINVAL.
type DescriptorError = adopt.DescriptorError

// bound is what each function needs: a socket without a port receives nothing.
var bound = adopt.Want{Network: "udp", State: adopt.Bound}

// FromFile returns the UDP socket that f is, bound or connected, as a Conn, and
// takes f over. With an error, a [*DescriptorError] if f is something else, f
// is as it was. Unix systems; elsewhere errors.ErrUnsupported.
func FromFile(f *os.File) (*Conn, error) { return adopt.File(f, bound, open) }

// FromFD is [FromFile] for a descriptor.
func FromFD(fd uintptr) (*Conn, error) { return adopt.FD(fd, bound, open) }

func open(f *os.File) (*Conn, error) {
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	return Wrap(conn.(*net.UDPConn)), nil
}
