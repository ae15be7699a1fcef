//go:build unix

package unix

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"

	sysunix "golang.org/x/sys/unix"
)

func (c *Conn) sendFiles(ctx context.Context, p []byte, files []*os.File) (int, error) {
	fds, err := descriptors(files)
	if err != nil {
		return 0, err
	}
	rights := sysunix.UnixRights(fds...)
	n, err := c.io.SendBy(ctx, p, func(p []byte) (n int, err error) {
		if rights != nil {
			if n, _, err = c.conn.WriteMsgUnix(p, rights, nil); n > 0 {
				rights = nil // they went with the first byte
			}
			if err != nil || n == len(p) {
				return n, err
			}
		}
		m, err := c.conn.Write(p[n:])
		return n + m, err
	})
	runtime.KeepAlive(files)
	return n, err
}

// descriptors returns those of files without making them block, as Fd would.
func descriptors(files []*os.File) ([]int, error) {
	fds := make([]int, len(files))
	for i, f := range files {
		if f == nil {
			return nil, errNilFile
		}
		raw, err := f.SyscallConn()
		if err != nil {
			return nil, err
		}
		if err := raw.Control(func(fd uintptr) { fds[i] = int(fd) }); err != nil {
			return nil, err
		}
	}
	return fds, nil
}

// spareControl is room for what else may come: credentials, a time, a pidfd.
const spareControl = 128

func (c *Conn) receiveFiles(ctx context.Context, p []byte, limit int) (int, []*os.File, error) {
	control := make([]byte, sysunix.CmsgSpace(4*limit)+spareControl)
	got, flags := 0, 0
	n, err := c.io.ReceiveBy(ctx, p, func(p []byte) (n int, err error) {
		n, got, flags, _, err = c.conn.ReadMsgUnix(p, control)
		if errors.Is(err, io.EOF) {
			err = io.EOF // which Read does not wrap
		}
		return n, err
	})
	fds := received(control[:got])
	if err == nil && (len(fds) > limit || flags&sysunix.MSG_CTRUNC != 0) {
		err = ErrFilesTruncated
	}
	if err != nil {
		for _, fd := range fds {
			_ = sysunix.Close(fd)
		}
		return n, nil, err
	}
	return n, open(fds), nil
}

// received returns the descriptors in a control message, and closes those
// that are not for files that somebody sent.
func received(control []byte) (fds []int) {
	messages, err := sysunix.ParseSocketControlMessage(control)
	if err != nil {
		return nil // the kernel does not write such a thing
	}
	for i := range messages {
		rights, err := sysunix.ParseUnixRights(&messages[i])
		if err == nil {
			fds = append(fds, rights...)
			continue
		}
		closePidfd(&messages[i])
	}
	return fds
}

func open(fds []int) []*os.File {
	if len(fds) == 0 {
		return nil
	}
	files := make([]*os.File, len(fds))
	for i, fd := range fds {
		files[i] = os.NewFile(uintptr(fd), "received")
	}
	return files
}
