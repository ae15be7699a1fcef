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

	"github.com/strata-go/strata/internal/adopt"
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
		sockets[i] = &Socket{Network: adopt.Network(uintptr(fd)), file: os.NewFile(uintptr(fd), "activation")}
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
	var ln stream.Listener[stream.ByteStream]
	var err error
	switch s.Network {
	case "tcp":
		ln, err = anyStream(tcp.ListenerFromFile(s.file))
	case "unix":
		ln, err = anyStream(unix.ListenerFromFile(s.file))
	default:
		err = fmt.Errorf("no stream socket: network %q", s.Network)
	}
	if err != nil {
		return nil, fmt.Errorf("activation: %s: %w", s.Name, err)
	}
	s.file = nil
	return ln, nil
}

func anyStream[S stream.ByteStream, L stream.Listener[S]](ln L, err error) (stream.Listener[stream.ByteStream], error) {
	if err != nil {
		return nil, err
	}
	return listener.Of[S](ln), nil
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
