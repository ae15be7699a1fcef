//go:build !linux

package thread_test

// threadID is not to be had here; any number but zero will do.
func threadID() int { return 1 }
