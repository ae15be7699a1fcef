package buffered

import (
	"bytes"
	"context"
	"io"
	"iter"
)

// ReceiveUntil receives up to the next delim and returns a view of what stands
// before it; delim is taken too. At most max bytes may stand before it, where
// 0 means [DefaultMax]; if more do, the error is a *[DelimiterNotFoundError].
// When the stream ends first, it is io.EOF if there were no bytes at all, else
// io.ErrUnexpectedEOF. An empty delim or a negative max is an error too. After
// any error nothing was taken, and what was received is in the buffer.
func (b *Receiver) ReceiveUntil(ctx context.Context, delim []byte, max int) ([]byte, error) {
	if len(delim) == 0 {
		return nil, errEmptyDelimiter
	}
	if max < 0 {
		return nil, errNegative
	}
	if max == 0 {
		max = DefaultMax
	}
	if err := b.enter(ctx); err != nil {
		return nil, err
	}
	if n := index(b.buf.window(max, len(delim)), delim); n >= 0 && b.buf.scanned == 0 {
		view := b.buf.cut(n, len(delim))
		b.leave()
		return view, nil
	}
	return b.receiveUntil(ctx, delim, max)
}

// receiveUntil is the rest of ReceiveUntil where the delimiter may not be in
// the buffer: what only this needs would be a tenth of the cost of the other.
func (b *Receiver) receiveUntil(ctx context.Context, delim []byte, limit int) ([]byte, error) {
	defer b.leave()
	n, err := b.seek(ctx, delim, limit)
	if err != nil {
		return nil, err
	}
	return b.buf.cut(n, len(delim)), nil
}

// seek receives until delim is in the buffer, and returns how many bytes
// stand before it.
func (b *Receiver) seek(ctx context.Context, delim []byte, limit int) (int, error) {
	from := b.buf.known(delim)
	for {
		window := b.buf.window(limit, len(delim))
		from = min(from, len(window)) // the limit may be a lower one now
		if n := index(window[from:], delim); n >= 0 {
			return from + n, nil
		}
		from = max(from, len(window)-len(delim)+1)
		if err := b.receiveMore(ctx, delim, limit); err != nil {
			b.buf.learn(delim, from)
			return 0, err
		}
	}
}

func (b *Receiver) receiveMore(ctx context.Context, delim []byte, limit int) error {
	if b.buf.len()-len(delim) >= limit {
		return &DelimiterNotFoundError{Delimiter: bytes.Clone(delim), Max: limit}
	}
	return endWithin(b.fill(ctx, 1), b.buf.len())
}

// Until yields what ReceiveUntil returns, again and again: views, each of
// which holds until the next. It ends without an error when the stream does
// behind a delimiter, or else with the error of ReceiveUntil as its last pair.
// Leave the loop whenever you like: what was read ahead stays in the stream.
// The sequence can be used once.
func (b *Receiver) Until(ctx context.Context, delim []byte, max int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			piece, err := b.ReceiveUntil(ctx, delim, max)
			if err == io.EOF {
				return
			}
			if !yield(piece, err) || err != nil {
				return
			}
		}
	}
}
