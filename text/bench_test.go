package text_test

import (
	"context"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/race"
	"github.com/strata-go/strata/text"
)

// endless repeats its bytes.
type endless struct {
	p  string
	at int
}

func (e *endless) Receive(_ context.Context, p []byte) (int, error) {
	n := copy(p, e.p[e.at:])
	e.at = (e.at + n) % len(e.p)
	return n, nil
}
func (e *endless) Attributes() *attr.Set { return nil }
func (e *endless) Close() error          { return nil }

func BenchmarkLines(b *testing.B) {
	for name, enc := range map[string]encoding.Encoding{"UTF-8": nil, "Latin-1": charmap.ISO8859_1, "UTF-16": utf16le} {
		b.Run(name, func(b *testing.B) {
			line := strings.Repeat("x", 62) + "\r\n"
			r := text.NewReceiver(&endless{p: strings.Repeat(encode(b, enc, line), 100)}, &text.Config{Encoding: enc})
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			n := 0
			for _, err := range r.Lines(b.Context(), 0) {
				if err != nil {
					b.Fatal(err)
				}
				if n++; !b.Loop() {
					break
				}
			}
		})
	}
}

func encode(b *testing.B, enc encoding.Encoding, s string) string {
	if enc == nil {
		return s
	}
	raw, err := enc.NewEncoder().String(s)
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimPrefix(raw, "\xff\xfe")
}

func TestALineAllocatesOnlyItself(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes sync.Pool drop buffers")
	}
	for _, enc := range []encoding.Encoding{nil, charmap.ISO8859_1} {
		r := text.NewReceiver(&endless{p: strings.Repeat("a line\r\n", 100)}, &text.Config{Encoding: enc})
		n := testing.AllocsPerRun(100, func() {
			count := 0
			for range r.Lines(t.Context(), 0) {
				if count++; count == 1000 {
					return
				}
			}
		})
		if n > 1010 {
			t.Errorf("%v allocations for 1000 lines", n)
		}
	}
}
