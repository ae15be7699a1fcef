package sockopt

import (
	"os"

	"golang.org/x/sys/windows"
)

func set(fd uintptr, level, name, value int) error {
	return os.NewSyscallError("setsockopt", windows.SetsockoptInt(windows.Handle(fd), level, name, value))
}

// Backlog is not supported: a second listen changes nothing.
func Backlog(uintptr, int) error { return unsupported("a backlog") }
