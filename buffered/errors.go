package buffered

import (
	"errors"
	"fmt"
)

var (
	errEmptyDelimiter = errors.New("buffered: empty delimiter")
	errNegative       = errors.New("buffered: negative count")
	errNotBuffered    = errors.New("buffered: Discard of bytes that are not in the buffer")
)

// A DelimiterNotFoundError reports that the delimiter did not come within the
// limit. Nothing was taken: what was received is still in the buffer.
type DelimiterNotFoundError struct {
	Delimiter []byte
	Max       int // bytes allowed before the delimiter
}

func (e *DelimiterNotFoundError) Error() string {
	return fmt.Sprintf("buffered: no delimiter %q within %d bytes", e.Delimiter, e.Max)
}
