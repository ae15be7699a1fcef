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
// or ctx is done while dst takes its time, up to 64 KiB that src had given
// are lost: close both. The error is that of src or dst, untouched.
//
// Where src can wait without a buffer ([WaitReceive]), Copy holds none while
// nothing arrives. It uses the receiving direction of src and the sending
// direction of dst.
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
	for {
		if end, err := receivePiece(ctx, src, use); end || err != nil {
			return err
		}
	}
}

// receivePiece receives once, into a buffer that it borrows as late as src
// allows and that use must not keep. It keeps the end apart from the errors
// of use, which could be io.EOF as well.
func receivePiece(ctx context.Context, src ByteReceiver, use func(p []byte) error) (end bool, err error) {
	if err := WaitReceive(ctx, src); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return endOr(err)
	}
	buf := borrowBuffer()
	defer returnBuffer(buf)
	n, err := src.Receive(ctx, *buf)
	if err != nil {
		return endOr(err)
	}
	return false, use((*buf)[:n])
}

func endOr(err error) (bool, error) {
	if err == io.EOF {
		return true, nil
	}
	return false, err
}
