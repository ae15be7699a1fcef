package buffered

import (
	"context"
	"fmt"
	"math"
)

// DefaultMaxFrame is the limit in bytes of what one frame carries, where the
// codec sets none: 1 MiB.
const DefaultMaxFrame = 1 << 20

// A Codec says how items lie in a byte stream: where one ends and the next
// begins. It may be asked to append and to receive at once.
type Codec[T any] interface {
	Encoder[T]
	Decoder[T]
}

// An Encoder is the sending half of a [Codec].
type Encoder[T any] interface {
	// Append appends the frame of item to dst, as the append functions of the
	// standard library do, and keeps neither. With an error the item is not
	// sent.
	Append(dst []byte, item T) ([]byte, error)
}

// A Decoder is the receiving half of a [Codec].
type Decoder[T any] interface {
	// Receive receives the next item from r, which nobody else uses
	// meanwhile. The item must not refer to a view of r's. The error is
	// io.EOF if the stream ends between two frames and io.ErrUnexpectedEOF if
	// it ends in one. Whatever the error, also that of a done ctx, what it
	// received of the frame must still be in r's buffer: use Peek, and Discard
	// when all of the frame is there, or else ReceiveExactly or ReceiveUntil
	// for the whole of it.
	Receive(ctx context.Context, r *Receiver) (T, error)
}

// A FrameTooLongError reports a frame over the limit: one that was to be sent
// and was not, or one whose beginning came from the peer, which stays in the
// buffer, so that every Receive finds it again.
type FrameTooLongError struct {
	Len uint64 // bytes that the frame carries
	Max int
}

func (e *FrameTooLongError) Error() string {
	return fmt.Sprintf("buffered: frame of %d bytes, at most %d are allowed", e.Len, e.Max)
}

// maxFrame returns the limit that a codec's Max means.
func maxFrame(limit int) int {
	switch {
	case limit == 0:
		return DefaultMaxFrame
	case limit < 0:
		return math.MaxInt - 8 // what a header can be added to
	}
	return limit
}
