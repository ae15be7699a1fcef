package text

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

var (
	errInvalid     = errors.New("bytes that are no text in this encoding")
	errNoProgress  = errors.New("the decoder makes no progress")
	errNegativeMax = errors.New("text: negative limit of a line")

	// errCutOff is told from the end of the stream: nobody may take it for one.
	errCutOff = fmt.Errorf("a character is cut off: %w", io.ErrUnexpectedEOF)
)

// A DecodeError reports bytes that are no text. It comes after all the text
// before them, and again from then on: there is no way to go on behind them.
type DecodeError struct {
	Offset int64 // bytes of text, as UTF-8, that came before
	Err    error // io.ErrUnexpectedEOF if the stream ended in a character
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("text: after %d bytes of text: %v", e.Offset, e.Err)
}

// Unwrap returns what was wrong.
func (e *DecodeError) Unwrap() error { return e.Err }

// An EncodeError reports a character that the encoding does not have. Nothing
// of the string was sent.
type EncodeError struct {
	Rune   rune // utf8.RuneError for a byte of the string that is not UTF-8
	Offset int  // bytes before it in the string
	Err    error
}

func (e *EncodeError) Error() string {
	if e.Rune == utf8.RuneError {
		return fmt.Sprintf("text: at byte %d of the string: %v", e.Offset, e.Err)
	}
	return fmt.Sprintf("text: %q at byte %d of the string: %v", e.Rune, e.Offset, e.Err)
}

// Unwrap returns the encoder's error.
func (e *EncodeError) Unwrap() error { return e.Err }

// A LineTooLongError reports a line over the limit. Nothing of it was taken.
type LineTooLongError struct {
	Max int // bytes allowed, as UTF-8, without the line's end
}

func (e *LineTooLongError) Error() string {
	return fmt.Sprintf("text: line of more than %d bytes", e.Max)
}
