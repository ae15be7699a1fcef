//go:build unix

package adopt

import (
	"errors"
	"os"
	"syscall"

	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/internal/sockopt"
)

// borrow makes a socket of a duplicate of fd, if that is what is wanted.
func borrow[S any](fd uintptr, want Want, open func(*os.File) (S, error)) (none S, err error) {
	if err := check(int(fd), want); err != nil {
		return none, err
	}
	f, err := duplicate(fd)
	if err != nil {
		return none, err
	}
	defer f.Close() // open has made another one
	return open(f)
}

// Duplicate returns a descriptor of the caller's own for the socket of raw, and
// leaves that non-blocking, where the File of package net's types would make it
// block for everybody.
func Duplicate(raw syscall.RawConn) (f *os.File, err error) {
	err = sockopt.Control(raw, func(fd uintptr) (err error) {
		f, err = duplicate(fd)
		return err
	})
	return f, err
}

func duplicate(fd uintptr) (*os.File, error) {
	dup, err := sysunix.FcntlInt(fd, sysunix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(dup), "socket"), nil
}

func closeFD(fd uintptr) error { return os.NewSyscallError("close", syscall.Close(int(fd))) }

// check returns a *DescriptorError unless fd is what is wanted.
func check(fd int, want Want) error {
	k, err := kindOf(fd)
	if err != nil {
		return &DescriptorError{FD: fd, Got: notASocket(err), Want: want.String(), err: err}
	}
	state := stateOf(fd)
	if err := mismatch(k, state, want); err != nil {
		return &DescriptorError{FD: fd, Got: k.describe(state), Want: want.String(), err: err}
	}
	return nil
}

func notASocket(err error) string {
	switch {
	case errors.Is(err, syscall.EBADF):
		return "not open"
	case errors.Is(err, syscall.ENOTSOCK):
		return "no socket"
	}
	return "unknown (" + err.Error() + ")"
}

func mismatch(k kind, state State, want Want) error {
	switch {
	case k.unix != (want.pkg() == "unix") || k.foreign:
		return syscall.EAFNOSUPPORT
	case k.network != want.Network:
		return syscall.EPROTOTYPE
	case want.State == Connected && state != Connected:
		return syscall.ENOTCONN
	case want.State == Listening && state != Listening, want.State == Bound && state == Any:
		return syscall.EINVAL
	}
	return nil
}

// A kind is what a socket was made as.
type kind struct {
	network string // package net's name, if it has one
	name    string // for people
	unix    bool   // of that family
	foreign bool   // of a family that is neither that nor IP
}

func (k kind) describe(s State) string {
	switch {
	case k.network == "":
		return aSocket(k.name)
	case s == Any:
		return aSocket("unbound " + k.name)
	}
	return aSocket(adjectives[s] + k.name)
}

// kindOf asks the kernel for what fd is.
func kindOf(fd int) (kind, error) {
	t, err := sysunix.GetsockoptInt(fd, sysunix.SOL_SOCKET, sysunix.SO_TYPE)
	if err != nil {
		return kind{}, err
	}
	family, err := familyOf(fd)
	if err != nil {
		return kind{}, err
	}
	var networks map[int]string
	switch family {
	case sysunix.AF_INET, sysunix.AF_INET6:
		if name := foreignProtocol(fd); name != "" {
			return kind{name: name}, nil
		}
		networks = map[int]string{sysunix.SOCK_STREAM: "tcp", sysunix.SOCK_DGRAM: "udp"}
	case sysunix.AF_UNIX:
		networks = map[int]string{
			sysunix.SOCK_STREAM: "unix", sysunix.SOCK_DGRAM: "unixgram", sysunix.SOCK_SEQPACKET: "unixpacket",
		}
	default:
		return kind{name: familyName(family), foreign: true}, nil
	}
	k := kind{network: networks[t], name: names[networks[t]], unix: family == sysunix.AF_UNIX}
	if k.name == "" {
		k.name = "raw"
	}
	return k, nil
}

// Network returns what package net calls the kind of socket that fd is, and
// nothing for any other descriptor.
func Network(fd uintptr) string {
	k, err := kindOf(int(fd))
	if err != nil {
		return ""
	}
	return k.network
}

// stateOf returns the most that can be said of a socket.
func stateOf(fd int) State {
	listening, err := sysunix.GetsockoptInt(fd, sysunix.SOL_SOCKET, sysunix.SO_ACCEPTCONN)
	if err == nil && listening != 0 {
		return Listening
	}
	if _, err := sysunix.Getpeername(fd); err == nil {
		return Connected
	}
	addr, err := sysunix.Getsockname(fd)
	if err != nil {
		return Any
	}
	switch a := addr.(type) {
	case *sysunix.SockaddrInet4:
		return boundIf(a.Port != 0)
	case *sysunix.SockaddrInet6:
		return boundIf(a.Port != 0)
	case *sysunix.SockaddrUnix:
		return boundIf(a.Name != "" && a.Name != "@") // which it makes of none
	}
	return Any
}

func boundIf(bound bool) State {
	if bound {
		return Bound
	}
	return Any
}
