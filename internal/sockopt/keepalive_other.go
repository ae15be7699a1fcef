//go:build !linux

package sockopt

import "net"

// KeepAlive is not supported: not all of these systems hand it down.
func KeepAlive(uintptr, net.KeepAliveConfig) error { return unsupported("inherited keep-alive") }
