//go:build linux

package process

// AwaitBlocking waits for a child where there are no pidfds to poll.
func AwaitBlocking(pid int) error { return awaitBlocking(pid) }
