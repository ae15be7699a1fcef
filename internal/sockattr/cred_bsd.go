//go:build netbsd || openbsd

package sockattr

import (
	"syscall"

	sysunix "golang.org/x/sys/unix"
)

// peerCred asks for a struct of three numbers, for which x/sys has a type on
// neither system. That of an ICMPv6 filter is numbers and nothing else, and has
// room for them.
func peerCred(raw syscall.RawConn) (cred Cred, ok bool) {
	_ = raw.Control(func(fd uintptr) {
		c, err := sysunix.GetsockoptICMPv6Filter(int(fd), credLevel, credOption)
		if err == nil {
			cred, ok = credOf(c.Filt), true
		}
	})
	return cred, ok
}
