//go:build unix

package listener

import "syscall"

// shortage are the errors that pass when others give back what they hold.
// What waits in the backlog is not lost.
var shortage = []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}

// diedInBacklog are the errors of one connection that ended before it was
// accepted; accept(2) asks to treat them like EAGAIN.
var diedInBacklog = []syscall.Errno{
	syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EPROTO, syscall.ENOPROTOOPT, syscall.ENETDOWN,
	syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ETIMEDOUT,
}
