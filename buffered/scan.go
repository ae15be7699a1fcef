package buffered

import "bytes"

// A scan looks for a delimiter at the front of a buffer that grows, and looks
// at no byte twice.
type scan struct {
	delim []byte
	limit int // how many bytes may stand before delim
	done  int // so many, at the front, do not begin delim
}

// find returns how many bytes of unread stand before the delimiter, or -1.
func (s *scan) find(unread []byte) int {
	window := unread
	if n := s.limit + len(s.delim); n >= 0 && n < len(window) {
		window = window[:n]
	}
	from := min(s.done, len(window))
	if i := index(window[from:], s.delim); i >= 0 {
		return from + i
	}
	s.done = max(from, len(window)-len(s.delim)+1)
	return -1
}

// pause keeps what an unfinished scan knows for the next call of ReceiveUntil
// for the same delimiter, which may come after a cancellation.
func (b *buffer) pause(s *scan) {
	b.missed = append(b.missed[:0], s.delim...)
	b.scanned = s.done
}

// resume returns the scan for delim, where the last one stopped if it was for
// the same delimiter and nothing was taken or fed since.
func (b *buffer) resume(delim []byte, limit int) scan {
	s := scan{delim: delim, limit: limit}
	if b.scanned > 0 && bytes.Equal(delim, b.missed) {
		s.done = b.scanned
	}
	return s
}

// index is bytes.Index, for short delimiters three times as fast where the
// first byte that could begin one does, as in lines of text.
func index(p, delim []byte) int {
	i := bytes.IndexByte(p, delim[0])
	if i < 0 || bytes.HasPrefix(p[i:], delim) {
		return i
	}
	if j := bytes.Index(p[i+1:], delim); j >= 0 {
		return i + 1 + j
	}
	return -1
}
