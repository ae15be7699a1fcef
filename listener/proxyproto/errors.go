package proxyproto

import (
	"fmt"
	"net"
)

// A HeaderError reports that the peer did not begin with a header of the
// protocol.
type HeaderError struct {
	Version int    // 1 or 2; 0 if the bytes begin like neither
	Reason  string // what is wrong
	First   []byte // what came instead, up to 16 bytes, with version 0
}

func (e *HeaderError) Error() string {
	if e.Version == 0 {
		return fmt.Sprintf("proxyproto: %s: %q", e.Reason, e.First)
	}
	return fmt.Sprintf("proxyproto: malformed version %d: %s", e.Version, e.Reason)
}

func malformed(version int, format string, args ...any) error {
	return &HeaderError{Version: version, Reason: fmt.Sprintf(format, args...)}
}

// An UntrustedError reports a connection that was refused since nobody trusts
// its peer to tell addresses.
type UntrustedError struct {
	Addr net.Addr // nil if it is not known
}

func (e *UntrustedError) Error() string {
	if e.Addr == nil {
		return "proxyproto: peer of unknown address is not trusted"
	}
	return fmt.Sprintf("proxyproto: peer %v is not trusted", e.Addr)
}

func unsendable(format string, args ...any) error {
	return fmt.Errorf("proxyproto: header cannot be sent: "+format, args...)
}
