//go:build unix

package activation

import "os"

// NewSocket is a socket as Sockets returns it.
func NewSocket(fd int) *Socket {
	return &Socket{Network: networkOf(fd), file: os.NewFile(uintptr(fd), "socket")}
}
