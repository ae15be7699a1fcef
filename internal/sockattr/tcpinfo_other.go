//go:build !linux

package sockattr

import (
	"syscall"

	"github.com/strata-go/strata/attr"
)

func tcpInfo(syscall.RawConn) (TCPInfo, error) { return TCPInfo{}, attr.ErrNotFound }
