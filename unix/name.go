package unix

import (
	"net"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// A NameError reports a name that no socket can have. It unwraps to
// syscall.ENAMETOOLONG or syscall.EINVAL.
type NameError struct {
	Name string
	Max  int // what the system takes, in bytes, if the name is too long

	err error
}

func (e *NameError) Error() string {
	switch {
	case e.Max > 0:
		return "unix: name of " + strconv.Itoa(len(e.Name)) + " bytes is longer than " + strconv.Itoa(e.Max) + ": " + strconv.Quote(e.Name)
	case e.Name == "":
		return "unix: empty name"
	default:
		return "unix: NUL in name " + strconv.Quote(e.Name)
	}
}

// Unwrap returns syscall.ENAMETOOLONG or syscall.EINVAL.
func (e *NameError) Unwrap() error { return e.err }

// The longest names, in bytes: sun_path holds them with a NUL behind a path.
const (
	maxLinux = 107
	maxOther = 103
)

// spell checks name and returns it as package net wants it.
func spell(name string) (string, error) {
	longest := maxOther
	if runtime.GOOS == "linux" || runtime.GOOS == "windows" {
		longest = maxLinux
	}
	if runtime.GOOS == "linux" && strings.HasPrefix(name, "\x00") {
		name = "@" + name[1:]
	}
	switch {
	case len(name) > longest:
		return "", &NameError{Name: name, Max: longest, err: syscall.ENAMETOOLONG}
	case strings.Contains(name, "\x00"):
		return "", &NameError{Name: name, err: syscall.EINVAL}
	}
	return name, nil
}

// spellPeer is spell for names that have to be there.
func spellPeer(name string) (string, error) {
	if name == "" {
		return "", &NameError{err: syscall.EINVAL}
	}
	return spell(name)
}

// spellOwn is spell for names to listen at, which on Linux the kernel may
// choose.
func spellOwn(name string) (string, error) {
	if runtime.GOOS != "linux" {
		return spellPeer(name)
	}
	return spell(name)
}

// isPath reports whether a name that spell returned is in a file system.
func isPath(name string) bool {
	return name != "" && (runtime.GOOS != "linux" || name[0] != '@')
}

// unnamed returns addr without the name that package net makes up for a
// socket that has none.
func unnamed(addr net.Addr) net.Addr {
	if a, ok := addr.(*net.UnixAddr); ok && a != nil && a.Name == "@" {
		return &net.UnixAddr{Net: a.Net}
	}
	return addr
}
