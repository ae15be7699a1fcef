//go:build !unix

package unix

import (
	"context"
	"net"
)

// dialFrom connects a socket that has the name local.
func dialFrom(ctx context.Context, dialer *net.Dialer, network, local, name string) (net.Conn, error) {
	dialer.LocalAddr = &net.UnixAddr{Net: network, Name: local}
	return dialer.DialContext(ctx, network, name)
}
