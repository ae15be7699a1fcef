//go:build unix

package ctxio

import (
	"net"
	"os"
	"syscall"
	"time"

	"github.com/strata-go/strata/internal/adopt"
)

// A sentry waits until a listening socket has connections, and takes none. It
// does so with a descriptor of its own: the RawConn of a net.Listener has no
// Read to wait with.
type sentry struct {
	file *os.File
	raw  syscall.RawConn
}

// newSentry returns nil for whatever is not exactly a listening socket of
// package net.
func newSentry(ln net.Listener) (*sentry, error) {
	var raw syscall.RawConn
	var err error
	switch l := ln.(type) {
	case *net.TCPListener:
		raw, err = l.SyscallConn()
	case *net.UnixListener:
		raw, err = l.SyscallConn()
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := adopt.Duplicate(raw)
	if err != nil {
		return nil, err
	}
	own, err := f.SyscallConn()
	if err != nil || f.SetReadDeadline(time.Time{}) != nil { // it is nothing to wait for
		return nil, f.Close()
	}
	return &sentry{f, own}, nil
}

// wait returns nil when there are connections, and an error when the sentry was
// closed.
func (s *sentry) wait() error { return s.raw.Read(isReadable) }

// close wakes wait. No sentry is closed already.
func (s *sentry) close() error {
	if s == nil {
		return nil
	}
	return s.file.Close()
}
