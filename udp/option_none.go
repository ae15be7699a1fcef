//go:build !windows && (!unix || solaris || illumos || aix)

package udp

import (
	"errors"
	"fmt"
)

// flagCut is set on packets that were cut.
const flagCut = 0

// errCut is for systems where that is an error.
var errCut = errors.New("cut")

func (cfg *Config) beforeBind(uintptr) error {
	if cfg.ReusePort {
		return fmt.Errorf("sharing a port: %w", errors.ErrUnsupported)
	}
	return nil
}
