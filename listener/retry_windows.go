package listener

import "syscall"

// The codes of Winsock that package syscall does not name.
const (
	wsaEMFILE  syscall.Errno = 10024
	wsaENOBUFS syscall.Errno = 10055
)

// passing are the errors that pass when others give back what they hold.
var passing = []syscall.Errno{wsaEMFILE, wsaENOBUFS}

// diedInBacklog are the errors of one connection that ended before it was
// accepted.
var diedInBacklog = []syscall.Errno{syscall.WSAECONNABORTED, syscall.WSAECONNRESET}
