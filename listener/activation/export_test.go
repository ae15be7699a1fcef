//go:build unix

package activation

import (
	"os"

	"github.com/strata-go/strata/internal/adopt"
)

// NewSocket is a socket as Sockets returns it.
func NewSocket(fd int) *Socket {
	return &Socket{Network: adopt.Network(uintptr(fd)), file: os.NewFile(uintptr(fd), "socket")}
}
