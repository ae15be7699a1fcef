package unix

import (
	"context"
	"errors"
	"os"
)

// MaxFiles is how many files one [Conn.SendFiles] can send.
const MaxFiles = 253

// ErrFilesTruncated reports that more files came than the caller had room
// for. All of them are closed.
var ErrFilesTruncated = errors.New("unix: more files came than asked for")

var (
	errNoFiles  = errors.New("unix: no files to send")
	errNoBytes  = errors.New("unix: files need at least one byte to go with")
	errNilFile  = errors.New("unix: nil file")
	errTooMany  = errors.New("unix: more than 253 files")
	errMaxFiles = errors.New("unix: room for at least one file is needed")
)

// SendFiles sends p, which must not be empty, and files with its first byte.
// It sends 1 to [MaxFiles] files, which stay open here; the peer gets them as
// descriptors of its own. They must not be closed before SendFiles returns.
//
// It is a Send in all else: if n > 0, the files have been sent, and the rest
// of p is resumed by Send(ctx, p[n:]). Not on Windows: errors.ErrUnsupported.
func (c *Conn) SendFiles(ctx context.Context, p []byte, files ...*os.File) (n int, err error) {
	switch {
	case len(files) == 0:
		return 0, errNoFiles
	case len(files) > MaxFiles:
		return 0, errTooMany
	case len(p) == 0:
		return 0, errNoBytes
	}
	return c.sendFiles(ctx, p, files)
}

// ReceiveFiles is Receive for bytes that files may have come with: at most
// limit, which is at least 1. The files are the caller's, to be closed, and are not
// inherited by processes that the caller starts. Bytes that were sent with
// different files do not come together.
//
// When more files came than limit, all are closed, and the error is
// [ErrFilesTruncated] though n > 0: the bytes have been received. With any
// other error there are no files either. Not on Windows:
// errors.ErrUnsupported.
func (c *Conn) ReceiveFiles(ctx context.Context, p []byte, limit int) (n int, files []*os.File, err error) {
	if limit < 1 {
		return 0, nil, errMaxFiles
	}
	return c.receiveFiles(ctx, p, min(limit, MaxFiles))
}
