//go:build unix

package listener

import "syscall"

// passing are the errors that pass: a shortage when others give back what they
// hold, for which nothing in the backlog is lost; and EPERM, by which a firewall
// may mean this connection or all of them.
var passing = []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EPERM}

// diedInBacklog are the errors of one connection that ended before it was
// accepted; accept(2) asks to treat them like EAGAIN.
var diedInBacklog = []syscall.Errno{
	syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EPROTO, syscall.ENOPROTOOPT, syscall.ENETDOWN,
	syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ETIMEDOUT,
}
