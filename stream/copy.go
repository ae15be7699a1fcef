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
func Copy(ctx context.Context, dst ByteSender, src ByteReceiver) (taken int64, err error) {
	// All in one function, and without a defer, so that there is little on the
	// stack of a copy that waits, and so that one that moves a message does not
	// need more than the 2 KiB with which a goroutine begins. A panic of src or
	// dst costs a buffer, and if that is a large one its place among the 64.
	large := false
	for {
		if err := WaitReceive(ctx, src); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return taken, unlessEnd(err)
		}
		buf := borrowBuffer(large)
		received, err := src.Receive(ctx, *buf)
		if received == 0 && err == nil {
			err = io.ErrNoProgress // src breaks the contract; do not take that for an end
		}
		if err != nil {
			returnBuffer(buf)
			return taken, unlessEnd(err)
		}
		sent, err := dst.Send(ctx, (*buf)[:received])
		returnBuffer(buf)
		taken += int64(sent)
		if err != nil {
			return taken, err
		}
		if sent < received {
			return taken, io.ErrShortWrite // dst breaks the contract; do not lose bytes in silence
		}
		large = received >= copyBufferSize
	}
}

func unlessEnd(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
