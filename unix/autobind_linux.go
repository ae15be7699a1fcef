package unix

import (
	"os"
	"syscall"

	sysunix "golang.org/x/sys/unix"
)

// autobind lets the kernel choose a name, see unix(7).
func autobind(_, _ string, raw syscall.RawConn) (err error) {
	if rawErr := raw.Control(func(fd uintptr) { err = sysunix.Bind(int(fd), &sysunix.SockaddrUnix{}) }); rawErr != nil {
		return rawErr
	}
	return os.NewSyscallError("bind", err)
}
