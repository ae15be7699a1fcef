package buffered

import (
	"bytes"
	"context"
	"errors"
)

var errHasDelimiter = errors.New("buffered: the item has the delimiter in it")

// Delimited is the codec of frames that end with a delimiter.
type Delimited struct {
	// Delimiter ends each frame. It must not be empty, nor changed while the
	// codec is in use.
	Delimiter []byte

	// Max is how many bytes a frame may carry, the delimiter not counted.
	// Zero means 1 MiB, negative means any number.
	Max int
}

var _ Codec[[]byte] = Delimited{}

// Append implements [Codec]. An item that would end too early is an error,
// and one over the limit a *[FrameTooLongError].
func (c Delimited) Append(dst, item []byte) ([]byte, error) {
	if len(c.Delimiter) == 0 {
		return dst, errEmptyDelimiter
	}
	if limit := maxFrame(c.Max); len(item) > limit {
		return dst, &FrameTooLongError{Len: uint64(len(item)), Max: limit}
	}
	framed := append(append(dst, item...), c.Delimiter...)
	if bytes.Index(framed[len(dst):], c.Delimiter) != len(item) {
		return dst, errHasDelimiter
	}
	return framed, nil
}

// Receive implements [Codec]. A frame over the limit is a
// *[DelimiterNotFoundError].
func (c Delimited) Receive(ctx context.Context, r *Receiver) ([]byte, error) {
	item, err := r.ReceiveUntil(ctx, c.Delimiter, maxFrame(c.Max))
	if err != nil {
		return nil, err
	}
	return append([]byte{}, item...), nil // never nil, as other codecs' items
}
