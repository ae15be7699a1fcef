//go:build !unix && !windows

package listener

import "syscall"

var (
	passing       []syscall.Errno
	diedInBacklog []syscall.Errno
)
