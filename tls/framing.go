package tls

import "encoding/binary"

// headerSize is that of a record's header: its type, a version, and the length
// of its body in two bytes (RFC 8446 section 5.1).
const headerSize = 5

// framing follows where records end, in a sequence of bytes that comes in
// pieces.
type framing struct {
	header [headerSize]byte
	passed int  // bytes of the current record that went by; 0 between records
	size   int  // of the current record or, between records, of the last
	count  uint // of records that went by
}

// advance returns how many bytes at the start of b belong to the current
// record, and lets them go by.
func (f *framing) advance(b []byte) int {
	n := 0
	if f.passed < headerSize {
		n = copy(f.header[f.passed:], b)
		f.passed += n
		if f.passed < headerSize {
			return n
		}
		f.size = recordLen(f.header[:])
	}
	rest := min(f.size-f.passed, len(b)-n)
	f.passed += rest
	if f.passed == f.size {
		f.passed = 0
		f.count++
	}
	return n + rest
}

// between tells whether no record is under way.
func (f *framing) between() bool { return f.passed == 0 }

// recordLen returns the length of the record that b begins with, or 0 while
// that does not show yet.
func recordLen(b []byte) int {
	if len(b) < headerSize {
		return 0
	}
	return headerSize + int(binary.BigEndian.Uint16(b[3:]))
}

// maxRecord is the length of the longest record (RFC 5246 section 6.2.3).
const maxRecord = headerSize + maxPlaintext + 2048

// looksLikeRecord tells whether b, which has a header, may be a record of any type
// and version from SSL 3.0 on.
func looksLikeRecord(b []byte) bool {
	const first, last, major = 20, 24, 3
	return b[0] >= first && b[0] <= last && b[1] == major && recordLen(b) <= maxRecord
}
