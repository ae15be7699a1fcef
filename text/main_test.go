package text_test

import (
	"context"
	"io"
	"testing"

	"go.uber.org/goleak"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a receiver that gives one chunk at a time, and then io.EOF.
type script struct{ chunks []string }

func (s *script) Receive(ctx context.Context, p []byte) (int, error) {
	if err := stream.ContextError(ctx); err != nil {
		return 0, err
	}
	for len(s.chunks) > 0 && s.chunks[0] == "" {
		s.chunks = s.chunks[1:]
	}
	if len(s.chunks) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.chunks[0])
	s.chunks[0] = s.chunks[0][n:]
	return n, nil
}

func (s *script) Attributes() *attr.Set { return nil }
func (s *script) Close() error          { return nil }

// wire remembers what is sent.
type wire struct{ sent []string }

func (w *wire) Send(_ context.Context, p []byte) (int, error) {
	w.sent = append(w.sent, string(p))
	return len(p), nil
}
func (w *wire) SendEOF(context.Context) error { return nil }
func (w *wire) Attributes() *attr.Set         { return nil }
func (w *wire) Close() error                  { return nil }

// pipe returns two connected streams and closes them when the test ends.
func pipe(t testing.TB, cfg *memory.Config) (a, b *memory.Conn) {
	a, b = memory.Pipe(cfg)
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})
	return a, b
}

// canceled returns a context that is done.
func canceled(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
