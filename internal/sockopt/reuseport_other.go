//go:build !unix || solaris || illumos || aix

package sockopt

// ReusePort is not supported.
func ReusePort(uintptr) error { return unsupported("sharing a port") }
