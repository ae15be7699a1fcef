package unix

import (
	"errors"

	sysunix "golang.org/x/sys/unix"
)

// tellLength makes a call return the real length of a packet.
const tellLength = sysunix.MSG_TRUNC

// nextLength returns the length of the next packet.
func nextLength(fd int) (int, error) {
	for {
		n, _, _, _, err := sysunix.RecvmsgBuffers(fd, nil, nil, sysunix.MSG_PEEK|sysunix.MSG_TRUNC)
		if !errors.Is(err, sysunix.EINTR) {
			return n, err
		}
	}
}
