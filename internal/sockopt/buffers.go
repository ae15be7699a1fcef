//go:build unix || windows

package sockopt

import "syscall"

// Buffers sets how many bytes the kernel keeps for the receiver and of the
// sender. Zero and less leave either as it is. It is for sockets that are not connected
// and do not listen yet: by then TCP has chosen how much it announces.
func Buffers(fd uintptr, receive, send int) error {
	for _, o := range []struct{ name, value int }{{syscall.SO_RCVBUF, receive}, {syscall.SO_SNDBUF, send}} {
		if o.value <= 0 {
			continue
		}
		if err := set(fd, syscall.SOL_SOCKET, o.name, o.value); err != nil {
			return err
		}
	}
	return nil
}
