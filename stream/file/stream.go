package file

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/stream"
)

// A Stream is a file as a byte stream. One goroutine may receive while another
// sends; on a regular file both move the same position.
//
// Failures are *stream.BrokenError, from then on and in both directions. The
// end of a regular file is where it ends now: io.EOF stays until it grows or
// [Stream.Seek] goes back.
type Stream struct {
	attributes attr.Set
	file       *os.File
	path       string
	mode       directions
	io         inputOutput
}

var (
	_ stream.ByteStream    = (*Stream)(nil)
	_ stream.ReceiveWaiter = (*Stream)(nil)
)

// inputOutput is how a file is used: *ctxio.Conn if it can be polled, else
// *blocking.
type inputOutput interface {
	Receive(ctx context.Context, p []byte) (int, error)
	WaitReceive(ctx context.Context) error
	Send(ctx context.Context, p []byte) (int, error)
	SendEOF(ctx context.Context) error
	Close() error
	Closed() bool
}

func newStream(f *os.File, path string, mode directions) *Stream {
	s := &Stream{file: f, path: path, mode: mode}
	if f.SetDeadline(time.Time{}) == nil {
		c := new(ctxio.Conn)
		c.Init(asConn(f, mode))
		s.io = c
	} else {
		s.io = &blocking{file: f, mode: mode}
	}
	facts.Init(&s.attributes, s)
	return s
}

// Attributes are [Path] and [File].
func (s *Stream) Attributes() *attr.Set { return &s.attributes }

// Receive waits for bytes, which on a regular file are there or not. Whether
// ctx can interrupt it says the package comment.
func (s *Stream) Receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	if err := s.can(ctx, s.mode.receive); err != nil {
		return 0, err
	}
	return s.io.Receive(ctx, p)
}

// WaitReceive returns at once for a regular file. For one that can be polled
// it is errors.ErrUnsupported, and so it is for any other, which may block.
func (s *Stream) WaitReceive(ctx context.Context) error {
	if err := s.can(ctx, s.mode.receive); err != nil {
		return err
	}
	return s.io.WaitReceive(ctx)
}

// Send sends all of p. A canceled Send has sent the first n bytes: resume it
// with p[n:].
func (s *Stream) Send(ctx context.Context, p []byte) (int, error) {
	if err := s.can(ctx, s.mode.send); err != nil {
		return 0, err
	}
	return s.io.Send(ctx, p)
}

// SendEOF closes a file that was opened for sending alone, and returns the
// error of that, in which some file systems tell that they could not write.
// For any other it is errors.ErrUnsupported.
func (s *Stream) SendEOF(ctx context.Context) error {
	if err := s.can(ctx, s.mode.send && !s.mode.receive); err != nil {
		return err
	}
	return s.io.SendEOF(ctx)
}

// Close closes the file. The error is the file's.
func (s *Stream) Close() error { return s.io.Close() }

// can answers for calls of a direction that the file does not have.
func (s *Stream) can(ctx context.Context, has bool) error {
	switch {
	case has:
		return nil
	case ctx.Err() != nil:
		return stream.ContextError(ctx)
	case s.io.Closed():
		return net.ErrClosed
	}
	return errors.ErrUnsupported
}
