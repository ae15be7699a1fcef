package unix

import (
	"encoding/binary"
	"os"

	sysunix "golang.org/x/sys/unix"
)

func (c *Conn) peerPidfd() (*os.File, error) {
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var pidfd int
	var optErr error
	if err := raw.Control(func(fd uintptr) {
		pidfd, optErr = sysunix.GetsockoptInt(int(fd), sysunix.SOL_SOCKET, sysunix.SO_PEERPIDFD)
	}); err != nil {
		return nil, err
	}
	if optErr != nil {
		return nil, os.NewSyscallError("getsockopt", optErr)
	}
	return os.NewFile(uintptr(pidfd), "pidfd"), nil // close-on-exec, as all pidfds
}

// closePidfd closes the sender's pidfd, which comes to sockets with
// SO_PASSPIDFD.
func closePidfd(hdr *sysunix.Cmsghdr, data []byte) {
	if hdr.Level == sysunix.SOL_SOCKET && hdr.Type == sysunix.SCM_PIDFD && len(data) >= 4 {
		if fd := int32(binary.NativeEndian.Uint32(data)); fd >= 0 {
			_ = sysunix.Close(int(fd))
		}
	}
}
