package unix

import (
	"net"
	"os"
)

// PeerPidfd returns a pidfd of the process in [PeerCred]: unlike its number it
// cannot come to stand for another process. The caller closes it. A process
// that is gone, and one that the kernel has no pidfd for, is an error of the
// system. Linux 6.5 and later; elsewhere errors.ErrUnsupported. After Close it
// is net.ErrClosed.
func (c *Conn) PeerPidfd() (*os.File, error) {
	if c.io.Closed() {
		return nil, net.ErrClosed
	}
	return c.peerPidfd()
}
