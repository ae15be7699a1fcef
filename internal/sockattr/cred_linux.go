package sockattr

import (
	"syscall"

	sysunix "golang.org/x/sys/unix"
)

// peerCred asks for SO_PEERCRED, see unix(7).
func peerCred(raw syscall.RawConn) (cred Cred, ok bool) {
	_ = raw.Control(func(fd uintptr) {
		c, err := sysunix.GetsockoptUcred(int(fd), sysunix.SOL_SOCKET, sysunix.SO_PEERCRED)
		if err == nil && c.Pid != 0 { // the pid is 0 on a socket that never had a peer
			cred, ok = Cred{PID: int(c.Pid), UID: int(c.Uid), GID: int(c.Gid)}, true
		}
	})
	return cred, ok
}
