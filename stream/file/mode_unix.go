//go:build unix

package file

import (
	"os"

	sysunix "golang.org/x/sys/unix"
)

// modeOf asks the system what f was opened for.
func modeOf(f *os.File) directions {
	both := directions{receive: true, send: true}
	raw, err := f.SyscallConn()
	if err != nil {
		return both
	}
	flags, flagsErr := 0, error(nil)
	err = raw.Control(func(fd uintptr) {
		flags, flagsErr = sysunix.FcntlInt(fd, sysunix.F_GETFL, 0)
	})
	if err != nil || flagsErr != nil {
		return both
	}
	return directionsOf(flags)
}
