package stream

import (
	"context"
	"io"
	"iter"
)

// Chunks receives from r into buf and yields what came, until the end. Each
// chunk is a view of buf, valid until the next one. An error other than
// io.EOF is yielded once and last, with a nil chunk.
//
// The sequence is single-use: ranging over it again does not start over.
// Breaking out of it leaves r as it is, with nothing read ahead.
func Chunks(ctx context.Context, r ByteReceiver, buf []byte) iter.Seq2[[]byte, error] {
	return untilEOF(func() ([]byte, error) {
		n, err := r.Receive(ctx, buf)
		if err != nil {
			return nil, err
		}
		return buf[:n], nil
	})
}

// Items yields what r receives, until the end. An error other than io.EOF is
// yielded once and last, with the zero item.
//
// The sequence is single-use: ranging over it again does not start over.
// Breaking out of it leaves r as it is, with nothing read ahead.
func Items[T any](ctx context.Context, r ObjectReceiver[T]) iter.Seq2[T, error] {
	return untilEOF(func() (T, error) { return r.Receive(ctx) })
}

func untilEOF[T any](receive func() (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			item, err := receive()
			if err == io.EOF {
				return
			}
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}
