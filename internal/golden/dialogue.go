package golden

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// The parties of a [Turn].
const (
	Client  = 'C'
	Server  = 'S'
	Message = 'M' // nobody: the bytes of a message
	Both    = '-' // an event rather than bytes
)

// Events of a dialogue.
const (
	StartTLS = "tls"    // the TLS handshake; what follows is under TLS
	Closed   = "closed" // nothing more: the connection is closed
)

// A Turn is what one party sends in one piece, or an event that concerns
// both.
type Turn struct {
	From  rune
	Data  []byte // lines, each with its CRLF; must arrive in one segment
	Event string // set only if From is Both
}

// Dialogue returns the turns of a file, such as "smtp/session.txt".
func Dialogue(name string) ([]Turn, error) {
	data, err := read(strings.Split(name, "/")...)
	if err != nil {
		return nil, err
	}
	turns, err := parseDialogue(string(data))
	if err != nil {
		return nil, fmt.Errorf("golden: %s: %w", name, err)
	}
	return turns, nil
}

// parseDialogue reads the form that testdata/README.md describes.
func parseDialogue(data string) ([]Turn, error) {
	var turns []Turn
	number := 0
	for line := range strings.Lines(data) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		var err error
		if turns, err = addLine(turns, line); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	return turns, nil
}

// addLine adds one line of a file to the turns before it.
func addLine(turns []Turn, line string) ([]Turn, error) {
	if event, ok := strings.CutPrefix(line, "--- "); ok {
		if event != StartTLS && event != Closed {
			return nil, fmt.Errorf("unknown event %q", event)
		}
		return append(turns, Turn{From: Both, Event: event}), nil
	}
	if len(line) < 2 || strings.IndexByte("CSM", line[0]) < 0 || len(line) > 2 && line[2] != ' ' {
		return nil, fmt.Errorf("%q is no line of a party", line)
	}
	data, err := unescape(strings.TrimPrefix(line[2:], " "))
	if err != nil {
		return nil, err
	}
	from := rune(line[0])
	switch last := len(turns) - 1; {
	case line[1] == ':':
		return append(turns, Turn{From: from, Data: data}), nil
	case line[1] == '+' && last >= 0 && turns[last].From == from:
		turns[last].Data = append(turns[last].Data, data...)
		return turns, nil
	}
	return nil, fmt.Errorf("%q continues no turn of the same party", line)
}

// unescape returns the line with Go's backslash escapes resolved and CRLF
// added.
func unescape(line string) ([]byte, error) {
	var b bytes.Buffer
	for line != "" {
		r, multibyte, rest, err := strconv.UnquoteChar(line, 0)
		if err != nil {
			return nil, fmt.Errorf("escape in %q: %w", line, err)
		}
		if multibyte {
			b.WriteRune(r)
		} else {
			b.WriteByte(byte(r))
		}
		line = rest
	}
	b.WriteString("\r\n")
	return b.Bytes(), nil
}
