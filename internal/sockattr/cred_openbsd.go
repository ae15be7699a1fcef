package sockattr

import sysunix "golang.org/x/sys/unix"

// SO_PEERCRED has a struct sockpeercred, see getsockopt(2).
const (
	credLevel  = sysunix.SOL_SOCKET
	credOption = sysunix.SO_PEERCRED
)

func credOf(c [8]uint32) Cred { return Cred{UID: int(c[0]), GID: int(c[1]), PID: int(c[2])} }
