//go:build unix

package main

import (
	"context"
	"errors"
	"net"
	"os"

	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/unix"
)

// unixCases compare passing an open file with what that takes by hand.
var unixCases = []benchCase{
	{Name: "unix/files/background", Target: 1.1, OneCore: true, Setup: passFiles(background)},
	{Name: "unix/files/one-ctx", Target: 1.1, OneCore: true, Setup: passFiles(oneContext)},
}

// passFiles sends a file from one end of a connection to the other, and
// closes what arrives.
func passFiles(p policy) func(*cleanup) (ours, theirs side, err error) {
	return func(undo *cleanup) (ours, theirs side, err error) {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return nil, nil, err
		}
		undo.add(f.Close)
		a, b, err := unixPair()
		if err != nil {
			return nil, nil, err
		}
		s, r := unix.Wrap(a.(*net.UnixConn)), unix.Wrap(b.(*net.UnixConn))
		undo.add(s.Close)
		undo.add(r.Close)
		message, buf := make([]byte, messageSize), make([]byte, messageSize)
		ours = repeat(p, func(ctx context.Context) error {
			if _, err := s.SendFiles(ctx, message, f); err != nil {
				return err
			}
			_, files, err := r.ReceiveFiles(ctx, buf, 1)
			if err != nil {
				return err
			}
			return files[0].Close()
		})
		c, d, err := unixPair()
		if err != nil {
			return nil, nil, err
		}
		undo.add(c.Close)
		undo.add(d.Close)
		return ours, repeat(p, byHand(c.(*net.UnixConn), d.(*net.UnixConn), f)), nil
	}
}

// byHand does the same with what package net has, checks included.
func byHand(s, r *net.UnixConn, f *os.File) func(context.Context) error {
	message, buf := make([]byte, messageSize), make([]byte, messageSize)
	return func(context.Context) error {
		raw, err := f.SyscallConn()
		if err != nil {
			return err
		}
		var rights []byte
		if err := raw.Control(func(fd uintptr) { rights = sysunix.UnixRights(int(fd)) }); err != nil {
			return err
		}
		if _, _, err := s.WriteMsgUnix(message, rights, nil); err != nil {
			return err
		}
		control := make([]byte, sysunix.CmsgSpace(4))
		_, n, flags, _, err := r.ReadMsgUnix(buf, control)
		if err != nil {
			return err
		}
		messages, err := sysunix.ParseSocketControlMessage(control[:n])
		if err != nil {
			return err
		}
		if len(messages) != 1 || flags&sysunix.MSG_CTRUNC != 0 {
			return errors.New("no file came")
		}
		fds, err := sysunix.ParseUnixRights(&messages[0])
		if err != nil {
			return err
		}
		return os.NewFile(uintptr(fds[0]), "received").Close()
	}
}
