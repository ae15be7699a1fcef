//go:build !unix && !windows

package listener

import "syscall"

var (
	shortage      []syscall.Errno
	diedInBacklog []syscall.Errno
)
