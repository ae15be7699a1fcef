package sockattr

import sysunix "golang.org/x/sys/unix"

// peerPID asks for LOCAL_PEERPID, see unix(4).
func peerPID(fd int) int {
	pid, err := sysunix.GetsockoptInt(fd, sysunix.SOL_LOCAL, sysunix.LOCAL_PEERPID)
	if err != nil {
		return 0
	}
	return pid
}
