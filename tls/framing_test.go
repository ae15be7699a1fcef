package tls_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/tls"
)

// FuzzFraming cuts any bytes into records, and the same bytes in pieces of any
// size: the records are the same, and those that the lengths say.
func FuzzFraming(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x02ab\x17\x03\x03\x00\x00\x17\x03\x03\x00\x03abc"), uint8(1))
	f.Add([]byte("\x17\x03\x03\xff\xff"), uint8(3))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), uint8(7))
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		var pieces [][]byte
		for rest := data; len(rest) > 0; {
			n := min(int(size)+1, len(rest))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		var want []int
		rest := data
		for len(rest) >= 5 {
			n := 5 + int(binary.BigEndian.Uint16(rest[3:]))
			if len(rest) < n {
				break
			}
			want = append(want, n)
			rest = rest[n:]
		}
		for _, p := range [][][]byte{{data}, pieces} {
			records, passed := tls.Cut(p)
			require.Equal(t, want, records)
			require.Equal(t, len(rest), passed)
		}
	})
}
