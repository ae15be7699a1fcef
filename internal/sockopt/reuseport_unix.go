//go:build unix && !solaris && !illumos && !aix

package sockopt

import sysunix "golang.org/x/sys/unix"

// ReusePort lets several sockets with this option be bound to one address.
func ReusePort(fd uintptr) error { return set(fd, sysunix.SOL_SOCKET, sysunix.SO_REUSEPORT, 1) }
