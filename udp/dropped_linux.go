package udp

import (
	"errors"
	"net"
	"os"
	"syscall"
	"unsafe"

	sysunix "golang.org/x/sys/unix"
)

func (c *Conn) dropped() (uint32, error) {
	if c.io.Closed() {
		return 0, net.ErrClosed
	}
	var info [9]uint32 // of <linux/sock_diag.h>, SK_MEMINFO_DROPS the last
	size := uint32(unsafe.Sizeof(info))
	var errno syscall.Errno
	err := c.info.Raw.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall6(sysunix.SYS_GETSOCKOPT, fd, sysunix.SOL_SOCKET, sysunix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	})
	switch {
	case errors.Is(err, net.ErrClosed):
		return 0, net.ErrClosed
	case err != nil:
		return 0, err
	case errno != 0:
		return 0, os.NewSyscallError("getsockopt", errno)
	}
	return info[8], nil
}
