//go:build darwin || freebsd

package sockattr

import (
	"syscall"

	sysunix "golang.org/x/sys/unix"
)

// peerCred asks for LOCAL_PEERCRED, see unix(4).
func peerCred(raw syscall.RawConn) (cred Cred, ok bool) {
	_ = raw.Control(func(fd uintptr) {
		c, err := sysunix.GetsockoptXucred(int(fd), sysunix.SOL_LOCAL, sysunix.LOCAL_PEERCRED)
		if err == nil && c.Ngroups > 0 {
			cred, ok = Cred{PID: peerPID(int(fd)), UID: int(c.Uid), GID: int(c.Groups[0])}, true
		}
	})
	return cred, ok
}
