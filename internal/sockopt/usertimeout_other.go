//go:build !linux

package sockopt

import "time"

// UserTimeout is not supported.
func UserTimeout(uintptr, time.Duration) error { return unsupported("a user timeout") }
