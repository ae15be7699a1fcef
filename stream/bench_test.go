package stream_test

import (
	"context"
	"testing"

	"github.com/strata-go/strata/stream"
)

// endless receives 16 KiB at a time until as much as was asked for has come.
type endless struct {
	fake
	left int
}

func (e *endless) WaitReceive(context.Context) error { return nil }

func (e *endless) Receive(ctx context.Context, p []byte) (int, error) {
	if e.left == 0 {
		return e.fake.Receive(ctx, p)
	}
	e.left--
	return 16 << 10, nil
}

// BenchmarkCopy is what Copy adds to a Receive and a Send that do nothing.
func BenchmarkCopy(b *testing.B) {
	b.ReportAllocs()
	src, dst := new(endless), new(taking)
	for b.Loop() {
		src.left, src.calls = 1, src.calls[:0]
		if _, err := stream.Copy(b.Context(), dst, src); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStapledSend is what stapling adds to a Send that does nothing.
func BenchmarkStapledSend(b *testing.B) {
	b.ReportAllocs()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	s := stream.Staple(new(fake), new(taking))
	p := make([]byte, 64)
	for b.Loop() {
		if _, err := s.Send(ctx, p); err != nil {
			b.Fatal(err)
		}
	}
}
