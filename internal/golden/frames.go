package golden

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// What a decoder meets after the last payload of [Frames].
const (
	Ended     = ""          // the end, cleanly: io.EOF
	Truncated = "truncated" // the end in the middle of a frame: io.ErrUnexpectedEOF
	Oversized = "oversized" // a length that no limit allows
)

// Frames is a sequence of payloads and its form on the wire. Encoding the
// payloads gives Wire if Then is [Ended]; decoding Wire always gives the
// payloads and then what Then says.
type Frames struct {
	Name     string
	Payloads []Hex
	Wire     Hex
	Then     string

	// Prefix is the number of bytes of each length: 1, 2, 4 or 8. Order is
	// their order, "big" or "little". Both are for length-prefixed frames.
	Prefix int
	Order  string

	// Delimiter ends each frame of those that are delimited.
	Delimiter Hex
}

// Hex is bytes that stand in JSON as hexadecimal digits.
type Hex []byte

// UnmarshalText sets h to the bytes that text has the digits of.
func (h *Hex) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	*h = b
	return err
}

// LengthPrefixed returns the frames that carry their length in front.
func LengthPrefixed() ([]Frames, error) { return frames("length-prefixed.json") }

// Delimited returns the frames that a delimiter ends.
func Delimited() ([]Frames, error) { return frames("delimited.json") }

func frames(file string) ([]Frames, error) {
	data, err := read("frames", file)
	if err != nil {
		return nil, err
	}
	var all []Frames
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("golden: %s: %w", file, err)
	}
	return all, nil
}
