//go:build linux

package process

// AwaitExit waits for the end of a child, and leaves it to be reaped.
func AwaitExit(pid int) error { return awaitExit(pid) }
