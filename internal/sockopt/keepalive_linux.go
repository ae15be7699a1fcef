package sockopt

import (
	"cmp"
	"net"
	"time"

	sysunix "golang.org/x/sys/unix"
)

// KeepAlive has the connections that a listening socket accepts ask whether
// their peers are there, as net.TCPConn.SetKeepAliveConfig would have each of
// them do with c, which is enabled. Call it before the socket listens.
func KeepAlive(fd uintptr, c net.KeepAliveConfig) error {
	const seconds, times = 15, 9 // what zero means to package net
	for _, o := range []struct{ level, name, value int }{
		{sysunix.SOL_SOCKET, sysunix.SO_KEEPALIVE, 1},
		{sysunix.SOL_TCP, sysunix.TCP_KEEPIDLE, cmp.Or(roundUp(c.Idle), seconds)},
		{sysunix.SOL_TCP, sysunix.TCP_KEEPINTVL, cmp.Or(roundUp(c.Interval), seconds)},
		{sysunix.SOL_TCP, sysunix.TCP_KEEPCNT, cmp.Or(c.Count, times)},
	} {
		if o.value < 0 {
			continue
		}
		if err := set(fd, o.level, o.name, o.value); err != nil {
			return err
		}
	}
	return nil
}

func roundUp(d time.Duration) int {
	if d < 0 {
		return -1
	}
	return int((d + time.Second - 1) / time.Second)
}
