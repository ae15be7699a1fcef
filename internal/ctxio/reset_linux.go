package ctxio

import sysunix "golang.org/x/sys/unix"

// wasReset reports whether TCP itself has given the connection up.
func (r *socketReader) wasReset() bool {
	const tcpClose = 7 // TCP_CLOSE of linux/include/net/tcp_states.h
	if !r.ok() || !r.tcp {
		return false
	}
	closed := false
	_ = r.raw.Control(func(fd uintptr) {
		info, err := sysunix.GetsockoptTCPInfo(int(fd), sysunix.IPPROTO_TCP, sysunix.TCP_INFO)
		closed = err == nil && info.State == tcpClose
	})
	return closed
}
