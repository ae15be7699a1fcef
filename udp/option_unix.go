//go:build unix && !linux && !solaris && !illumos && !aix

package udp

import (
	"errors"
	"os"

	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/internal/sockopt"
)

// flagCut is set on packets that were cut.
const flagCut = sysunix.MSG_TRUNC

// errCut is for systems where that is an error.
var errCut = errors.New("cut")

func (cfg *Config) beforeBind(fd uintptr) error {
	if cfg.ReusePort {
		if err := sockopt.ReusePort(fd); err != nil {
			return err
		}
	}
	if cfg.Broadcast {
		return nil // package net allows it to everybody
	}
	return os.NewSyscallError("setsockopt", sysunix.SetsockoptInt(int(fd), sysunix.SOL_SOCKET, sysunix.SO_BROADCAST, 0))
}
