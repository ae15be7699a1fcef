package file

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// sendAtOnce is how much Send gives to the system before it looks at its
// context again.
const sendAtOnce = 1 << 20

// blocking is a file whose system calls nothing interrupts, as those of
// regular files.
type blocking struct {
	file *os.File
	mode directions

	receiving, sending structured.Guard
	closed             atomic.Bool
	ended              atomic.Bool // by SendEOF
	broken             atomic.Pointer[stream.BrokenError]
}

func (b *blocking) Receive(ctx context.Context, p []byte) (int, error) {
	if err := stream.Enter(ctx, &b.receiving, &b.closed); err != nil {
		return 0, err
	}
	defer b.receiving.Leave()
	if broken := b.broken.Load(); broken != nil {
		return 0, broken
	}
	n, err := b.file.Read(p)
	switch {
	case n > 0:
		return n, nil // an error that came along will come again
	case err == io.EOF:
		return 0, err
	}
	return 0, b.fail(err)
}

// WaitReceive has nothing to wait for on a disk. What else there is that
// cannot be polled may block.
func (b *blocking) WaitReceive(ctx context.Context) error {
	if err := stream.Enter(ctx, &b.receiving, &b.closed); err != nil {
		return err
	}
	defer b.receiving.Leave()
	info, err := b.file.Stat()
	if err != nil {
		return b.fail(err)
	}
	if !info.Mode().IsRegular() {
		return errors.ErrUnsupported
	}
	return nil
}

func (b *blocking) Send(ctx context.Context, p []byte) (n int, err error) {
	if err := stream.Enter(ctx, &b.sending, &b.closed); err != nil {
		return 0, err
	}
	defer b.sending.Leave()
	if b.ended.Load() {
		return 0, net.ErrClosed
	}
	if broken := b.broken.Load(); broken != nil {
		return 0, broken
	}
	for n < len(p) {
		m, err := b.file.Write(p[n:min(len(p), n+sendAtOnce)])
		if n += m; err != nil {
			return n, b.fail(err)
		}
		if n < len(p) && ctx.Err() != nil {
			return n, stream.ContextError(ctx)
		}
	}
	return n, nil
}

// SendEOF is for files that are opened for sending alone.
func (b *blocking) SendEOF(ctx context.Context) error {
	if err := stream.Enter(ctx, &b.sending, &b.closed); err != nil {
		return err
	}
	defer b.sending.Leave()
	if broken := b.broken.Load(); broken != nil {
		return broken
	}
	if b.ended.Swap(true) {
		return nil
	}
	if err := b.file.Close(); err != nil {
		return b.fail(err)
	}
	return nil
}

func (b *blocking) Close() error {
	if b.closed.Swap(true) || b.ended.Load() {
		return nil
	}
	return b.file.Close()
}

func (b *blocking) Closed() bool { return b.closed.Load() }

// seek is not to be mixed with receiving or sending.
func (b *blocking) seek(offset int64, whence int) (int64, error) {
	if err := stream.Enter(context.Background(), &b.receiving, &b.closed); err != nil {
		return 0, err
	}
	defer b.receiving.Leave()
	if err := stream.Enter(context.Background(), &b.sending, &b.closed); err != nil {
		return 0, err
	}
	defer b.sending.Leave()
	if b.ended.Load() {
		return 0, net.ErrClosed
	}
	at, err := b.file.Seek(offset, whence)
	if errors.Is(err, os.ErrClosed) {
		return 0, net.ErrClosed
	}
	return at, err
}

// fail breaks both directions, unless it was Close that the system call met.
func (b *blocking) fail(err error) error {
	if b.closed.Load() {
		return net.ErrClosed
	}
	b.broken.CompareAndSwap(nil, stream.Broken(err))
	return b.broken.Load()
}
