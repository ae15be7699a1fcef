package buffered_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
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

// The time per byte must not depend on how long the line is.
func BenchmarkDelimiterOneByteAtATime(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 13, 1 << 16} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			line := append(bytes.Repeat([]byte("x"), size-2), "\r\n"...)
			r := buffered.NewReceiver(&endless{p: line, step: 1}, nil)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.ReceiveUntil(b.Context(), line[size-2:], size); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/byte")
		})
	}
}
