package process

import (
	"context"
	"os"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/file"
)

// A Sender is a pipe to the standard input of a process. When the process, and
// whoever has its input from it, is gone or has closed it, the Sender is
// broken, by syscall.EPIPE.
type Sender struct {
	pipe       *file.Stream
	attributes attr.Set
}

// A Receiver is a pipe from the standard output of a process. It ends when
// everybody has closed the other end: the process and those who have it from
// the process. It may do so before the process ends, or after.
type Receiver struct {
	pipe       *file.Stream
	file       *os.File
	attributes attr.Set
}

var (
	_ stream.ByteSender   = (*Sender)(nil)
	_ stream.ByteReceiver = (*Receiver)(nil)
)

func newSender(p *Process, f *os.File) *Sender {
	if f == nil {
		return nil
	}
	s := &Sender{pipe: file.Wrap(f)}
	facts.Init(&s.attributes, p, s.pipe)
	return s
}

func newReceiver(p *Process, f *os.File) *Receiver {
	if f == nil {
		return nil
	}
	r := &Receiver{pipe: file.Wrap(f), file: f}
	facts.Init(&r.attributes, p, r.pipe)
	return r
}

// Attributes are those of the process, and of the pipe below.
func (s *Sender) Attributes() *attr.Set { return &s.attributes }

// Send sends all of p. It waits while the process does not read. A canceled
// Send has sent the first n bytes: resume it with p[n:].
func (s *Sender) Send(ctx context.Context, p []byte) (int, error) { return s.pipe.Send(ctx, p) }

// SendEOF ends the input of the process.
func (s *Sender) SendEOF(ctx context.Context) error { return s.pipe.SendEOF(ctx) }

// Close ends the input of the process, as SendEOF does.
func (s *Sender) Close() error { return s.pipe.Close() }

// Attributes are those of the process, and of the pipe below.
func (r *Receiver) Attributes() *attr.Set { return &r.attributes }

// Receive waits for output. A canceled Receive has taken none.
func (r *Receiver) Receive(ctx context.Context, p []byte) (int, error) { return r.pipe.Receive(ctx, p) }

// Close closes the pipe. A process that goes on writing is told by SIGPIPE.
func (r *Receiver) Close() error { return r.pipe.Close() }
