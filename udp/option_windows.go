package udp

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// flagCut is set on packets that were cut.
const flagCut = 0x100 // MSG_TRUNC of ws2def.h

// errCut is what cut packets are here.
var errCut = windows.WSAEMSGSIZE

func (cfg *Config) beforeBind(fd uintptr) error {
	if cfg.ReusePort {
		return fmt.Errorf("sharing a port: %w", errors.ErrUnsupported)
	}
	if cfg.Broadcast {
		return nil // package net allows it to everybody
	}
	return os.NewSyscallError("setsockopt", windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_BROADCAST, 0))
}
