//go:build !windows && (!unix || solaris || illumos || aix)

package udp

import (
	"errors"

	"github.com/strata-go/strata/internal/sockopt"
)

// flagCut is set on packets that were cut.
const flagCut = 0

// errCut is for systems where that is an error.
var errCut = errors.New("cut")

func (cfg *Config) beforeBind(fd uintptr) error {
	if cfg.ReusePort {
		return sockopt.ReusePort(fd)
	}
	return nil
}
