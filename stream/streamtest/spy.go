package streamtest

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

var _ stream.ByteStream = (*spy)(nil)

// What a spy tells about itself.
var (
	spySaid  = attr.New[string]("streamtest.said")
	spyToken = attr.NewSecret[string]("streamtest.token")
	spyFails = attr.New[int]("streamtest.fails")
	errSpy   = errors.New("a fact that cannot be told")

	spyFacts = attr.Define(
		attr.Value(spySaid, func(*spy) string { return "said below" }),
		attr.Value(spyToken, func(*spy) string { return "secret" }),
		attr.From(spyFails, func(*spy) (int, error) { return 0, errSpy }),
	)
)

// A spy is a stream that takes everything, receives nothing, and keeps the
// names of the calls that reach it. Its peer ends when it does.
type spy struct {
	set    attr.Set
	waits  chan struct{} // gets a value when WaitReceive is called
	closed chan struct{}
	ended  chan struct{} // closed by SendEOF

	mu     sync.Mutex
	called []string
	cause  error // of Abort
}

func newSpy() *spy {
	s := &spy{waits: make(chan struct{}, 1), closed: make(chan struct{}), ended: make(chan struct{})}
	spyFacts.Init(&s.set, s)
	return s
}

func (s *spy) Attributes() *attr.Set { return &s.set }

func (s *spy) Receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	return 0, s.wait(ctx)
}

func (s *spy) WaitReceive(ctx context.Context) error {
	s.note("WaitReceive")
	select {
	case s.waits <- struct{}{}:
	default:
	}
	return s.wait(ctx)
}

func (s *spy) Send(ctx context.Context, p []byte) (int, error) {
	if err := stream.ContextError(ctx); err != nil {
		return 0, err
	}
	if s.has("Close") {
		return 0, net.ErrClosed
	}
	return len(p), nil
}

func (s *spy) SendEOF(ctx context.Context) error {
	if _, err := s.Send(ctx, nil); err != nil {
		return err
	}
	if s.note("SendEOF") {
		close(s.ended)
	}
	return nil
}

func (s *spy) Shutdown(context.Context) error {
	s.note("Shutdown")
	return s.Close()
}

func (s *spy) Abort(cause error) error {
	s.mu.Lock()
	s.cause = cause
	s.mu.Unlock()
	s.note("Abort")
	return s.Close()
}

func (s *spy) Close() error {
	if s.note("Close") {
		close(s.closed)
	}
	return nil
}

func (s *spy) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return stream.ContextError(ctx)
	case <-s.closed:
		return net.ErrClosed
	case <-s.ended:
		return io.EOF
	}
}

// note keeps a name and tells whether it is new.
func (s *spy) note(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.called, name) {
		return false
	}
	s.called = append(s.called, name)
	return true
}

func (s *spy) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.called, name)
}

func (s *spy) abortCause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}
