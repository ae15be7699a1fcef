package buffered

import "bytes"

// The search for a delimiter looks at no byte twice, however many pieces the
// bytes come in: at the front of the buffer it knows some that do not begin
// the delimiter. An unfinished search leaves that behind for the next call for
// the same delimiter, which may come after a cancellation.

// window returns the unread bytes of which the delimiter can be a part when
// at most limit bytes stand before it.
func (b *buffer) window(limit, delim int) []byte {
	p := b.unread()
	if end := limit + delim; uint(end) < uint(len(p)) { // end may overflow
		return p[:end]
	}
	return p
}

// known returns how many bytes at the front do not begin delim.
func (b *buffer) known(delim []byte) int {
	if b.scanned > 0 && bytes.Equal(delim, b.missed) {
		return b.scanned
	}
	return 0
}

// learn keeps what an unfinished search knows.
func (b *buffer) learn(delim []byte, scanned int) {
	b.missed = append(b.missed[:0], delim...)
	b.scanned = scanned
}

// index is bytes.Index, and twice as fast where the first byte of delim is
// seldom anything else, as in lines of text.
func index(p, delim []byte) int {
	i := bytes.IndexByte(p, delim[0])
	if i < 0 || len(delim) == 1 || bytes.HasPrefix(p[i:], delim) {
		return i
	}
	if j := bytes.Index(p[i+1:], delim); j >= 0 {
		return i + 1 + j
	}
	return -1
}
