package memory

import (
	"net"
	"strconv"
)

// An Addr is the address of a listener or of one end of a connection. It is
// for people, in logs: nothing can be reached by it.
type Addr struct {
	Name   string // of the listener, or "pipe"
	Number uint64 // of the end, from 1; 0 for the listener's end
}

var _ net.Addr = Addr{}

// Network returns "memory".
func (a Addr) Network() string { return "memory" }

// String returns the name, with the number after a slash where there is one:
// "listener/1".
func (a Addr) String() string {
	if a.Number == 0 {
		return a.Name
	}
	return a.Name + "/" + strconv.FormatUint(a.Number, 10)
}
