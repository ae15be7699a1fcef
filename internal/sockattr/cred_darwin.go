package sockattr

import (
	"syscall"

	sysunix "golang.org/x/sys/unix"
)

// peerCred asks for LOCAL_PEERCRED and LOCAL_PEERPID, see unix(4).
func peerCred(raw syscall.RawConn) (cred Cred, ok bool) {
	_ = raw.Control(func(fd uintptr) {
		c, err := sysunix.GetsockoptXucred(int(fd), sysunix.SOL_LOCAL, sysunix.LOCAL_PEERCRED)
		if err != nil || c.Ngroups == 0 {
			return
		}
		pid, err := sysunix.GetsockoptInt(int(fd), sysunix.SOL_LOCAL, sysunix.LOCAL_PEERPID)
		if err != nil {
			pid = 0
		}
		cred, ok = Cred{PID: pid, UID: int(c.Uid), GID: int(c.Groups[0])}, true
	})
	return cred, ok
}
