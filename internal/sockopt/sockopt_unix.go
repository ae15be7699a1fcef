//go:build unix

package sockopt

import (
	"os"

	sysunix "golang.org/x/sys/unix"
)

func set(fd uintptr, level, name, value int) error {
	return os.NewSyscallError("setsockopt", sysunix.SetsockoptInt(int(fd), level, name, value))
}

// Backlog sets how many connections may wait for a socket that listens
// already. The system has a limit of its own.
func Backlog(fd uintptr, n int) error {
	return os.NewSyscallError("listen", sysunix.Listen(int(fd), n))
}
