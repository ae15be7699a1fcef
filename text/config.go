package text

import "golang.org/x/text/encoding"

// DefaultMaxLine is the limit of a line where the caller gives none: 64 KiB
// of UTF-8.
const DefaultMaxLine = 64 << 10

// Errors says what becomes of bytes that are no text in the encoding, and of
// characters that the encoding does not have.
type Errors int

const (
	// Strict makes them a *[DecodeError] or an *[EncodeError].
	Strict Errors = iota

	// Replace puts U+FFFD for each sequence of bytes that is no text, and a
	// question mark for each character that the encoding does not have.
	Replace

	// Ignore leaves them out.
	Ignore
)

// Config says how text lies in bytes. A nil Config and the zero one mean all
// defaults: strict UTF-8. The functions that take one copy it.
type Config struct {
	// Encoding is how text lies in the byte stream. Nil means UTF-8.
	Encoding encoding.Encoding

	// Errors is Strict by default.
	Errors Errors
}

// orDefault returns a copy of c.
func (c *Config) orDefault() Config {
	if c == nil {
		return Config{}
	}
	return *c
}
