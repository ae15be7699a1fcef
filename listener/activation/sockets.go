//go:build unix

package activation

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/unix"

	sysunix "golang.org/x/sys/unix"
)

// firstFD is the descriptor from which sockets are passed on.
const firstFD = 3

// The variables of the protocol.
const (
	listenPID     = "LISTEN_PID"
	listenFDs     = "LISTEN_FDS"
	listenFDNames = "LISTEN_FDNAMES"
	notifySocket  = "NOTIFY_SOCKET"
)

// Sockets returns what this process was started with, in order: nothing if it
// was started in another way, or the sockets were meant for another process.
// It removes the variables that tell of them from the environment and marks
// the descriptors close-on-exec, so that no child of this process finds them:
// called again, it returns nothing.
func Sockets() ([]*Socket, error) {
	pid, count, names := os.Getenv(listenPID), os.Getenv(listenFDs), os.Getenv(listenFDNames)
	for _, name := range []string{listenPID, listenFDs, listenFDNames} {
		if err := os.Unsetenv(name); err != nil {
			return nil, fmt.Errorf("activation: %w", err)
		}
	}
	if pid != strconv.Itoa(os.Getpid()) || count == "" {
		return nil, nil
	}
	n, err := strconv.ParseUint(count, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("activation: %s: %w", listenFDs, err)
	}
	sockets, err := take(int(n))
	if err != nil {
		return nil, err
	}
	if err := label(sockets, names); err != nil {
		for _, s := range sockets {
			err = errors.Join(err, s.Close())
		}
		return nil, err
	}
	return sockets, nil
}

// take takes descriptors over, all of them or none.
func take(n int) ([]*Socket, error) {
	for fd := firstFD; fd < firstFD+n; fd++ {
		if _, err := sysunix.FcntlInt(uintptr(fd), sysunix.F_GETFD, 0); err != nil {
			return nil, fmt.Errorf("activation: descriptor %d: %w", fd, err)
		}
	}
	sockets := make([]*Socket, n)
	for i := range sockets {
		fd := firstFD + i
		syscall.CloseOnExec(fd)
		sockets[i] = &Socket{Network: networkOf(fd), file: os.NewFile(uintptr(fd), "activation")}
	}
	return sockets, nil
}

// label gives sockets their names, if there are any.
func label(sockets []*Socket, names string) error {
	if names == "" {
		return nil
	}
	all := strings.Split(names, ":")
	if len(all) != len(sockets) {
		return fmt.Errorf("activation: %d names for %d descriptors", len(all), len(sockets))
	}
	for i, s := range sockets {
		s.Name = all[i]
	}
	return nil
}

// A Socket is one that this process was started with. It is for one goroutine.
type Socket struct {
	// Name is what the configuration calls it (FileDescriptorName= in a
	// systemd.socket); empty if nobody said.
	Name string

	// Network is what package net would call it by its family and type: tcp,
	// udp, unix, unixgram or unixpacket; empty for any other descriptor.
	Network string

	file *os.File
}

// Listener returns the socket, which must be listening for TCP or on a Unix
// stream socket, as a listener: of *tcp.Conn or *unix.Conn. Its Close does not
// remove a socket file, which is whoever made it to remove. With an error the
// Socket is as it was, else the listener has taken it over.
func (s *Socket) Listener() (stream.Listener[stream.ByteStream], error) {
	if s.file == nil {
		return nil, fmt.Errorf("activation: %s: %w", s.Name, net.ErrClosed)
	}
	if err := s.checkListening(); err != nil {
		return nil, fmt.Errorf("activation: %s: %w", s.Name, err)
	}
	ln, err := net.FileListener(s.file)
	if err != nil {
		return nil, fmt.Errorf("activation: %s: %w", s.Name, err)
	}
	if err := s.Close(); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	if ln, ok := ln.(*net.TCPListener); ok {
		return listener.Of(tcp.WrapListener(ln)), nil
	}
	u := ln.(*net.UnixListener) // which checkListening saw to
	u.SetUnlinkOnClose(false)
	return listener.Of(unix.WrapListener(u)), nil
}

func (s *Socket) checkListening() error {
	if s.Network != "tcp" && s.Network != "unix" {
		return fmt.Errorf("no stream socket: network %q", s.Network)
	}
	raw, err := s.file.SyscallConn()
	if err != nil {
		return err
	}
	var listening int
	ctlErr := raw.Control(func(fd uintptr) {
		listening, err = sysunix.GetsockoptInt(int(fd), sysunix.SOL_SOCKET, sysunix.SO_ACCEPTCONN)
	})
	if err = errors.Join(ctlErr, err); err != nil {
		return err
	}
	if listening == 0 {
		return errors.New("socket is not listening")
	}
	return nil
}

// File returns the descriptor, which belongs to the caller from then on, and
// nil if it was taken over before.
func (s *Socket) File() *os.File {
	f := s.file
	s.file = nil
	return f
}

// Close closes the descriptor unless it was taken over.
func (s *Socket) Close() error {
	if f := s.File(); f != nil {
		return f.Close()
	}
	return nil
}

// networkOf asks the kernel for what the descriptor is.
func networkOf(fd int) string {
	kind, err := sysunix.GetsockoptInt(fd, sysunix.SOL_SOCKET, sysunix.SO_TYPE)
	if err != nil {
		return ""
	}
	addr, err := sysunix.Getsockname(fd)
	if err != nil {
		return ""
	}
	networks := map[int]string{sysunix.SOCK_STREAM: "tcp", sysunix.SOCK_DGRAM: "udp"}
	switch addr.(type) {
	case *sysunix.SockaddrInet4, *sysunix.SockaddrInet6:
	case *sysunix.SockaddrUnix:
		networks = map[int]string{
			sysunix.SOCK_STREAM: "unix", sysunix.SOCK_DGRAM: "unixgram", sysunix.SOCK_SEQPACKET: "unixpacket",
		}
	default:
		return ""
	}
	return networks[kind]
}
