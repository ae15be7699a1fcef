package buffered_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"go.uber.org/goleak"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a stream whose receives are laid down beforehand, and which
// remembers what is asked of it.
type script struct {
	chunks []string // each a Receive, cut where the caller's buffer ends
	end    error    // after them; nil means io.EOF
	cut    int      // at most so many bytes at a time, if not 0
	asked  []int    // the size of each Receive's buffer
	closes int
}

func (s *script) Receive(ctx context.Context, p []byte) (int, error) {
	if err := stream.ContextError(ctx); err != nil {
		return 0, err
	}
	s.asked = append(s.asked, len(p))
	if len(s.chunks) == 0 {
		if s.end == nil {
			return 0, io.EOF
		}
		return 0, s.end
	}
	if s.cut > 0 {
		p = p[:min(len(p), s.cut)]
	}
	n := copy(p, s.chunks[0])
	if s.chunks[0] = s.chunks[0][n:]; s.chunks[0] == "" {
		s.chunks = s.chunks[1:]
	}
	return n, nil
}

func (s *script) Send(context.Context, []byte) (int, error) { return 0, errors.ErrUnsupported }
func (s *script) SendEOF(context.Context) error             { return errors.ErrUnsupported }
func (s *script) Attributes() *attr.Set                     { return nil }
func (s *script) Close() error                              { s.closes++; return nil }

var _ stream.ByteStream = (*script)(nil)

// pipe returns two connected streams and closes them when the test ends.
func pipe(t testing.TB, cfg *memory.Config) (a, b *memory.Conn) {
	a, b = memory.Pipe(cfg)
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})
	return a, b
}

// send sends p on s, which must have room for it.
func send(t testing.TB, s stream.ByteSender, p string) {
	t.Helper()
	if _, err := s.Send(t.Context(), []byte(p)); err != nil {
		t.Fatal(err)
	}
}

// canceled returns a context that is done.
func canceled(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
