package udp

import (
	"os"

	"golang.org/x/sys/windows"

	"github.com/strata-go/strata/internal/sockopt"
)

// flagCut is set on packets that were cut.
const flagCut = 0x100 // MSG_TRUNC of ws2def.h

// errCut is what cut packets are here.
var errCut = windows.WSAEMSGSIZE

func (cfg *Config) beforeBind(fd uintptr) error {
	if cfg.ReusePort {
		return sockopt.ReusePort(fd)
	}
	if cfg.Broadcast {
		return nil // package net allows it to everybody
	}
	return os.NewSyscallError("setsockopt", windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_BROADCAST, 0))
}
