//go:build unix && !linux

package unix

import sysunix "golang.org/x/sys/unix"

func closePidfd(*sysunix.Cmsghdr, []byte) {}
