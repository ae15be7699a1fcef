package text

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/strata-go/strata/buffered"
)

var errNotUTF8 = errors.New("not UTF-8")

// A piece is what an encoder encodes at a time: a string, or the end of the
// text.
type piece struct {
	text string
	end  bool
}

// An encoder encodes pieces that follow one another. It writes a byte order
// mark only at the start, and may remember a shift state. Both depend on what
// was sent, which it does not know: so after each piece comes settle.
type encoder struct {
	encoding encoding.Encoding // nil for UTF-8
	t        transform.Transformer
	errors   Errors
	mark     bool // write a byte order mark in UTF-8

	started bool   // something was sent,
	last    string // and this is its last character, if it has not ended
	current string // the last character of the piece that is not settled yet
	ending  bool   // that piece ends the text
}

var _ buffered.Encoder[piece] = (*encoder)(nil)

func newEncoder(cfg Config) *encoder {
	e := &encoder{errors: cfg.Errors}
	switch cfg.Encoding {
	case nil, unicode.UTF8:
	case unicode.UTF8BOM:
		e.mark = true
	default:
		e.encoding = cfg.Encoding
		e.t = cfg.Encoding.NewEncoder()
	}
	return e
}

// Append implements buffered.Encoder. The frame of a string that says nothing
// is empty.
func (e *encoder) Append(dst []byte, p piece) ([]byte, error) {
	s, err := e.clean(p.text)
	if err != nil || s == "" && !(p.end && e.started) {
		return dst, err
	}
	e.ending = p.end
	if e.t != nil {
		return e.transform(dst, s, p.end)
	}
	if e.mark && !e.started {
		dst = append(dst, mark...)
	}
	e.current = s
	return append(dst, s...), nil
}

// clean returns s as UTF-8.
func (e *encoder) clean(s string) (string, error) {
	switch {
	case utf8.ValidString(s):
		return s, nil
	case e.errors == Replace:
		return strings.ToValidUTF8(s, replacement), nil
	case e.errors == Ignore:
		return strings.ToValidUTF8(s, ""), nil
	}
	for i, r := range s {
		if _, size := utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && size == 1 {
			return "", &EncodeError{Rune: r, Offset: i, Err: errNotUTF8}
		}
	}
	panic("text: a string that is not UTF-8 and has no place where it is not")
}

// transform appends s in the encoding.
func (e *encoder) transform(dst []byte, s string, end bool) ([]byte, error) {
	src, at := []byte(s), 0
	for room := len(src) + 16; ; room *= 2 {
		dst = slices.Grow(dst, room)
		n, m, err := e.t.Transform(dst[len(dst):cap(dst)], src[at:], end)
		dst = dst[:len(dst)+n]
		if at += m; m > 0 {
			e.current = lastRune(src[:at])
		}
		if err == transform.ErrShortDst {
			continue
		}
		if err == nil || at == len(src) {
			return dst, err
		}
		r, size := utf8.DecodeRune(src[at:])
		if e.errors == Strict {
			return dst, &EncodeError{Rune: r, Offset: at, Err: err}
		}
		if e.errors == Replace {
			dst = e.questionMark(dst)
		}
		at += size
	}
}

// questionMark appends a question mark, if the encoding has one.
func (e *encoder) questionMark(dst []byte) []byte {
	var buf [16]byte
	n, _, err := e.t.Transform(buf[:], []byte("?"), false)
	if err == nil {
		e.current = "?"
	}
	return append(dst, buf[:n]...)
}

// settle tells the encoder whether the piece was sent. If it was not, the
// encoder goes back to where it was, which is where the last character that
// was sent leaves a new one.
func (e *encoder) settle(sent bool) {
	current, ending := e.current, e.ending
	e.current, e.ending = "", false
	switch {
	case sent && ending:
		e.last = ""
	case sent && current != "":
		e.started, e.last = true, current
		return
	case sent:
		return
	}
	if e.t != nil {
		e.t = e.encoding.NewEncoder()
		e.replay()
	}
}

func (e *encoder) replay() {
	if e.started {
		var nowhere [64]byte
		e.t.Transform(nowhere[:], []byte(e.last), false)
	}
}

func lastRune(p []byte) string {
	_, size := utf8.DecodeLastRune(p)
	return string(p[len(p)-size:])
}
