package buffered_test

import (
	"bufio"
	"bytes"
	"context"
	"testing"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
)

// endless repeats its bytes, at most step at a time.
type endless struct {
	p    []byte
	at   int
	step int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p[:min(len(p), e.step)], e.p[e.at:])
	e.at = (e.at + n) % len(e.p)
	return n, nil
}

func (e *endless) Receive(_ context.Context, p []byte) (int, error) { return e.Read(p) }
func (e *endless) Attributes() *attr.Set                            { return nil }
func (e *endless) Close() error                                     { return nil }

var _ stream.ByteReceiver = (*endless)(nil)

func lines(step int) *endless {
	line := append(bytes.Repeat([]byte("x"), 62), "\r\n"...)
	return &endless{p: bytes.Repeat(line, 100), step: step}
}

func BenchmarkReceiveUntil(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	r := buffered.NewReceiver(lines(1<<20), nil)
	delim := []byte("\n")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.ReceiveUntil(ctx, delim, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadSlice(b *testing.B) {
	r := bufio.NewReader(lines(1 << 20))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.ReadSlice('\n'); err != nil {
			b.Fatal(err)
		}
	}
}
