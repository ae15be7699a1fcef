//go:build !unix && !windows

package sockopt

// Buffers is not supported, but for leaving them as they are.
func Buffers(_ uintptr, receive, send int) error {
	if receive == 0 && send == 0 {
		return nil
	}
	return unsupported("sizes of buffers")
}

// Backlog is not supported.
func Backlog(uintptr, int) error { return unsupported("a backlog") }
