//go:build !linux && !darwin

package sockattr

import "syscall"

func peerCred(syscall.RawConn) (Cred, bool) { return Cred{}, false }
