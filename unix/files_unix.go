//go:build unix

package unix

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"unsafe"

	sysunix "golang.org/x/sys/unix"
)

// A passing is what a call that passes files needs beside them.
type passing struct {
	control []byte // has room for MaxFiles, and spareControl

	// These are of the one who receives.
	conn  *net.UnixConn
	limit int
	read  func(p []byte) (int, error) // made once
	got   int                         // of control
	flags int
}

var passings = sync.Pool{New: func() any {
	f := &passing{control: make([]byte, sysunix.CmsgSpace(4*MaxFiles)+spareControl)}
	f.read = f.readMsg
	return f
}}

// spareControl is room for what else may come: credentials, a time, a pidfd.
const spareControl = 128

func (c *Conn) sendFiles(ctx context.Context, p []byte, files []*os.File) (int, error) {
	f := passings.Get().(*passing)
	defer passings.Put(f)
	rights, err := putRights(f.control, files)
	if err != nil {
		return 0, err
	}
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

// putRights puts the descriptors of files into a control message at the start
// of b, and returns that. They do not become blocking, as by Fd.
func putRights(b []byte, files []*os.File) ([]byte, error) {
	hdr := (*sysunix.Cmsghdr)(unsafe.Pointer(&b[0]))
	hdr.Level, hdr.Type = sysunix.SOL_SOCKET, sysunix.SCM_RIGHTS
	hdr.SetLen(sysunix.CmsgLen(4 * len(files)))
	for i, f := range files {
		if f == nil {
			return nil, errNilFile
		}
		raw, err := f.SyscallConn()
		if err != nil {
			return nil, err
		}
		if err := raw.Control(func(fd uintptr) {
			binary.NativeEndian.PutUint32(b[sysunix.CmsgLen(4*i):], uint32(fd))
		}); err != nil {
			return nil, err
		}
	}
	return b[:sysunix.CmsgSpace(4*len(files))], nil
}

func (c *Conn) receiveFiles(ctx context.Context, p []byte, limit int) (int, []*os.File, error) {
	f := passings.Get().(*passing)
	defer passings.Put(f)
	f.conn, f.limit, f.got, f.flags = c.conn, limit, 0, 0
	n, err := c.io.ReceiveBy(ctx, p, f.read)
	f.conn = nil
	files := received(f.control[:f.got])
	if err == nil && (len(files) > limit || f.flags&sysunix.MSG_CTRUNC != 0) {
		err = ErrFilesTruncated
	}
	if err != nil {
		for _, file := range files {
			_ = file.Close()
		}
		return n, nil, err
	}
	return n, files, nil
}

func (f *passing) readMsg(p []byte) (n int, err error) {
	n, f.got, f.flags, _, err = f.conn.ReadMsgUnix(p, f.control[:sysunix.CmsgSpace(4*f.limit)+spareControl])
	if errors.Is(err, io.EOF) {
		err = io.EOF // which Read does not wrap
	}
	return n, err
}

// received returns the files in control messages, and closes descriptors that
// are not for files that somebody sent.
func received(control []byte) (files []*os.File) {
	for len(control) >= sysunix.CmsgLen(0) {
		hdr, data, rest, err := sysunix.ParseOneSocketControlMessage(control)
		if err != nil {
			return files // the kernel does not write such a thing
		}
		control = rest
		if hdr.Level != sysunix.SOL_SOCKET || hdr.Type != sysunix.SCM_RIGHTS {
			closePidfd(&hdr, data)
			continue
		}
		files = slices.Grow(files, len(data)/4)
		for ; len(data) >= 4; data = data[4:] {
			files = append(files, os.NewFile(uintptr(binary.NativeEndian.Uint32(data)), "received"))
		}
	}
	return files
}
