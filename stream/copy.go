package stream

import (
	"context"
	"errors"
	"io"
)

// Copy sends to dst what src receives, until src is at its end, which is not
// an error. It returns how many bytes dst took. It does not call dst.SendEOF,
// and closes neither.
//
// When src fails, dst has taken everything that came before. When dst fails,
// or ctx is done while dst takes its time, up to 256 KiB that src had given
// are lost: close both. The error is that of src or dst, untouched.
//
// Where src can wait without a buffer ([WaitReceive]), Copy holds none while
// nothing arrives. Otherwise it is one of 64 KiB, or, for at most 64 copies at
// a time in which much arrives at once, of 256 KiB. Copy uses the receiving
// direction of src and the sending direction of dst.
func Copy(ctx context.Context, dst ByteSender, src ByteReceiver) (int64, error) {
	var taken int64
	err := receiveAll(ctx, src, func(p []byte) error {
		n, err := dst.Send(ctx, p)
		taken += int64(n)
		if err == nil && n < len(p) {
			return io.ErrShortWrite // dst breaks the contract; do not lose bytes in silence
		}
		return err
	})
	return taken, err
}

// receiveAll gives every piece that src receives to use, until the end.
func receiveAll(ctx context.Context, src ByteReceiver, use func(p []byte) error) error {
	large := false
	for {
		n, err := receivePiece(ctx, src, large, use)
		if n == 0 || err != nil {
			return err
		}
		large = n >= copyBufferSize
	}
}

// receivePiece receives once, into a buffer that it borrows as late as src
// allows and that use must not keep. It returns how many bytes came, which is
// 0 at the end.
func receivePiece(ctx context.Context, src ByteReceiver, large bool, use func(p []byte) error) (int, error) {
	if err := WaitReceive(ctx, src); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return 0, unlessEnd(err)
	}
	buf := borrowBuffer(large)
	defer returnBuffer(buf)
	n, err := src.Receive(ctx, *buf)
	if err != nil {
		return 0, unlessEnd(err)
	}
	return n, use((*buf)[:n])
}

func unlessEnd(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
