// Package adopt takes descriptors over that came from elsewhere, from a parent
// process or another library, as sockets of package net, once it has seen that
// they are what they are taken for.
package adopt

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/strata-go/strata/internal/sockopt"
)

// A Want is the socket that a caller needs.
type Want struct {
	Network string // package net's name: tcp, udp, unix, unixgram, unixpacket
	State   State
}

func (w Want) String() string { return aSocket(adjectives[w.State] + names[w.Network]) }

// A State is what a socket has to be besides its kind.
type State int

// The states of sockets.
const (
	Any State = iota
	Bound
	Connected
	Listening
)

var adjectives = [...]string{Any: "", Bound: "bound ", Connected: "connected ", Listening: "listening "}

// names are what people call the sockets of each network.
var names = map[string]string{
	"tcp": "TCP", "udp": "UDP", "unix": "Unix stream", "unixgram": "Unix packet", "unixpacket": "Unix seqpacket",
}

// A DescriptorError reports a descriptor that is not what was needed, and was
// left alone.
type DescriptorError struct {
	FD   int
	Got  string // what it is: "a listening UDP socket"
	Want string // what was needed: "a connected TCP socket"

	err error
}

func (e *DescriptorError) Error() string {
	return fmt.Sprintf("descriptor %d is %s, want %s", e.FD, e.Got, e.Want)
}

// Unwrap returns what the system would say: syscall.EBADF of what is not open,
// ENOTSOCK of what is no socket, EAFNOSUPPORT of another family and EPROTOTYPE
// of another type or protocol, ENOTCONN of a socket that is not connected and
// EINVAL of one that does not listen or is not bound.
func (e *DescriptorError) Unwrap() error { return e.err }

// FD takes over fd, of which open makes a stream with a descriptor of its own.
// With an error fd is as it was, else it is closed.
func FD[S io.Closer](fd uintptr, want Want, open func(*os.File) (S, error)) (S, error) {
	s, err := borrow(fd, want, open)
	return instead(want, s, err, func() error { return closeFD(fd) })
}

// File is FD for a file.
func File[S io.Closer](f *os.File, want Want, open func(*os.File) (S, error)) (S, error) {
	var s S
	if f == nil {
		return instead(want, s, errors.New("nil file"), nil)
	}
	raw, err := f.SyscallConn()
	if err == nil {
		err = sockopt.Control(raw, func(fd uintptr) (err error) { // not f.Fd, which may make the socket block
			s, err = borrow(fd, want, open)
			return err
		})
	}
	return instead(want, s, err, f.Close)
}

// instead returns s, unless there was an error or what it was made of cannot be
// closed.
func instead[S io.Closer](want Want, s S, err error, closeOld func() error) (S, error) {
	if err == nil {
		if err = closeOld(); err == nil {
			return s, nil
		}
		err = errors.Join(err, s.Close())
	}
	var none S
	return none, fmt.Errorf("%s: %w", want.pkg(), err)
}

// pkg is the package whose errors these are.
func (w Want) pkg() string {
	if strings.HasPrefix(w.Network, "unix") {
		return "unix"
	}
	return w.Network
}

func aSocket(noun string) string {
	if strings.ContainsRune("aeiouAEIO", rune(noun[0])) { // but "a UDP socket"
		return "an " + noun + " socket"
	}
	return "a " + noun + " socket"
}
