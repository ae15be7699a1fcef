//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd

package sockattr

import "syscall"

func peerCred(syscall.RawConn) (Cred, bool) { return Cred{}, false }
