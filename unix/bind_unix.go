//go:build unix

package unix

import (
	"context"
	"net"
	"os"
	"syscall"

	sysunix "golang.org/x/sys/unix"
)

// bind gives a socket its name. An empty one is for the kernel to choose, on
// Linux.
func bind(raw syscall.RawConn, name string) (err error) {
	if rawErr := raw.Control(func(fd uintptr) { err = sysunix.Bind(int(fd), &sysunix.SockaddrUnix{Name: name}) }); rawErr != nil {
		return rawErr
	}
	return os.NewSyscallError("bind", err)
}

// dialFrom connects a socket that has the name local. It binds it itself, to
// know the file that this makes: package net leaves it when nobody is there to
// connect to.
func dialFrom(ctx context.Context, dialer *net.Dialer, network, local, name string) (net.Conn, error) {
	before := dialer.Control
	var made *place
	dialer.Control = func(network, address string, raw syscall.RawConn) error {
		if before != nil {
			if err := before(network, address, raw); err != nil {
				return err
			}
		}
		err := bind(raw, local)
		if err == nil {
			made, err = findPlace(local)
		}
		return err
	}
	return dialPatiently(ctx, func() (net.Conn, error) {
		made = nil
		conn, err := dialer.DialContext(ctx, network, name)
		if err != nil {
			made.leave()
		}
		return conn, err
	})
}
