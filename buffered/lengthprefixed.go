package buffered

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
)

// LengthPrefixed is the codec of frames that begin with the length of the
// rest. The zero LengthPrefixed has a length of four bytes, big-endian, and
// allows 1 MiB.
type LengthPrefixed struct {
	// Size is how many bytes the length has: 1, 2, 4 or 8. Zero means 4. Any
	// other is an error of every call.
	Size int

	// Order is the order of those bytes. Nil means binary.BigEndian.
	Order binary.ByteOrder

	// Max is how many bytes a frame may carry, its length not counted. Zero
	// means 1 MiB. Negative means that only the size of the length limits it:
	// then the peer decides how much memory a frame takes, though it has to
	// send that much first.
	Max int
}

var _ Codec[[]byte] = LengthPrefixed{}

// Append implements [Codec]. An item over the limit, or over what a length of
// this size can say, is a *[FrameTooLongError].
func (c LengthPrefixed) Append(dst, item []byte) ([]byte, error) {
	size, err := c.size()
	if err != nil {
		return dst, err
	}
	limit := c.limit(size)
	if len(item) > limit {
		return dst, &FrameTooLongError{Len: uint64(len(item)), Max: limit}
	}
	at := len(dst)
	dst = append(dst, make([]byte, size)...)
	c.put(dst[at:], uint64(len(item)))
	return append(dst, item...), nil
}

// Receive implements [Codec]. A length over the limit is a
// *[FrameTooLongError]. Memory is taken as the bytes come, not for the length.
func (c LengthPrefixed) Receive(ctx context.Context, r *Receiver) ([]byte, error) {
	size, err := c.size()
	if err != nil {
		return nil, err
	}
	head, err := r.Peek(ctx, size)
	if err != nil {
		return nil, err
	}
	length := c.get(head)
	if limit := c.limit(size); length > uint64(limit) {
		return nil, &FrameTooLongError{Len: length, Max: limit}
	}
	whole := size + int(length)
	frame, err := r.Peek(ctx, whole)
	if err != nil {
		return nil, err
	}
	item := append([]byte{}, frame[size:]...) // never nil, as other codecs' items
	return item, r.Discard(whole)
}

func (c LengthPrefixed) size() (int, error) {
	switch c.Size {
	case 0:
		return 4, nil
	case 1, 2, 4, 8:
		return c.Size, nil
	}
	return 0, fmt.Errorf("buffered: a length of %d bytes; it must have 1, 2, 4 or 8", c.Size)
}

// limit returns how many bytes a frame may carry.
func (c LengthPrefixed) limit(size int) int {
	limit := maxFrame(c.Max)
	if size < 8 {
		limit = int(min(uint64(limit), math.MaxUint64>>(64-8*size)))
	}
	return limit
}

func (c LengthPrefixed) order() binary.ByteOrder {
	if c.Order == nil {
		return binary.BigEndian
	}
	return c.Order
}

func (c LengthPrefixed) put(p []byte, length uint64) {
	switch len(p) {
	case 1:
		p[0] = byte(length)
	case 2:
		c.order().PutUint16(p, uint16(length))
	case 4:
		c.order().PutUint32(p, uint32(length))
	case 8:
		c.order().PutUint64(p, length)
	}
}

func (c LengthPrefixed) get(p []byte) uint64 {
	switch len(p) {
	case 1:
		return uint64(p[0])
	case 2:
		return uint64(c.order().Uint16(p))
	case 4:
		return uint64(c.order().Uint32(p))
	}
	return c.order().Uint64(p)
}
