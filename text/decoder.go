package text

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const (
	replacement = "\uFFFD"
	mark        = "\xef\xbb\xbf" // the byte order mark in UTF-8
)

// A decoder turns bytes into UTF-8. It takes all of src but a character that
// is cut off at its end, unless dst is too small, which is
// transform.ErrShortDst. Text before an error is put out.
type decoder interface {
	decode(dst, src []byte, atEOF bool) (nDst, nSrc int, err error)
}

func newDecoder(cfg Config) decoder {
	switch cfg.Encoding {
	case nil, unicode.UTF8:
		return &utf8Decoder{errors: cfg.Errors}
	case unicode.UTF8BOM:
		return &utf8Decoder{errors: cfg.Errors, mark: true}
	}
	return &otherDecoder{t: cfg.Encoding.NewDecoder(), errors: cfg.Errors}
}

// utf8Decoder checks what is UTF-8 already.
type utf8Decoder struct {
	errors Errors
	mark   bool // a byte order mark may come
}

func (d *utf8Decoder) decode(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	if d.mark && !atEOF && len(src) < len(mark) && bytes.HasPrefix([]byte(mark), src) {
		return 0, 0, nil
	}
	if d.mark && bytes.HasPrefix(src, []byte(mark)) {
		nSrc = len(mark)
	}
	d.mark = false
	for {
		n, m, err := valid(dst[nDst:], src[nSrc:], atEOF)
		nDst, nSrc = nDst+n, nSrc+m
		if err == transform.ErrShortSrc {
			return nDst, nSrc, nil
		}
		if err != encoding.ErrInvalidUTF8 {
			return nDst, nSrc, err
		}
		if d.errors == Strict {
			return nDst, nSrc, errInvalid
		}
		if d.errors == Replace {
			if len(dst)-nDst < len(replacement) {
				return nDst, nSrc, transform.ErrShortDst
			}
			nDst += copy(dst[nDst:], replacement)
		}
		nSrc += illFormed(src[nSrc:])
	}
}

// valid copies src up to what is not UTF-8.
func valid(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	if len(dst) >= len(src) && utf8.Valid(src) {
		n := copy(dst, src)
		return n, n, nil
	}
	return encoding.UTF8Validator.Transform(dst, src, atEOF)
}

// illFormed returns how many bytes at the start of p count as one character
// that is not well-formed: all that could have begun one (Unicode, section
// 3.9, "substitution of maximal subparts").
func illFormed(p []byte) int {
	n := 1
	for n < len(p) && !utf8.FullRune(p[:n]) && !utf8.FullRune(p[:n+1]) {
		n++
	}
	return n
}

// otherDecoder finds what its decoder could not decode by the U+FFFD that it
// puts there.
type otherDecoder struct {
	t      transform.Transformer
	errors Errors
}

func (d *otherDecoder) decode(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	nDst, nSrc, err = d.t.Transform(dst, src, atEOF)
	switch d.errors {
	case Strict:
		if i := bytes.Index(dst[:nDst], []byte(replacement)); i >= 0 {
			return i, nSrc, errInvalid
		}
	case Ignore:
		nDst = copy(dst, bytes.ReplaceAll(dst[:nDst], []byte(replacement), nil))
	}
	if err == transform.ErrShortSrc {
		err = nil
	}
	return nDst, nSrc, err
}
