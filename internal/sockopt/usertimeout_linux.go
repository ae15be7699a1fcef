package sockopt

import (
	"math"
	"time"

	sysunix "golang.org/x/sys/unix"
)

// UserTimeout sets how long bytes that were sent may go without an
// acknowledgment, as tcp(7) has it: in milliseconds, of which 0 is the
// system's default.
func UserTimeout(fd uintptr, d time.Duration) error {
	d = min(d, math.MaxInt32*time.Millisecond)
	return set(fd, sysunix.SOL_TCP, sysunix.TCP_USER_TIMEOUT, int((d+time.Millisecond-1)/time.Millisecond))
}
