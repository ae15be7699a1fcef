package streamtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"runtime"
	"testing"

	"github.com/strata-go/strata/stream"
)

// A WrapperMaker makes the wrappers that [TestWrapper] tests.
type WrapperMaker struct {
	// Wrap returns a new wrapper of s, which speaks to nobody: until
	// SendEOF or Close, Receive waits and Send takes everything.
	Wrap func(ctx context.Context, s stream.ByteStream) (stream.ByteStream, error)

	// Fail wraps s in a way that has to fail. Nil says that the constructor
	// cannot.
	Fail func(ctx context.Context, s stream.ByteStream) error

	// OwnWaitReceive says that the wrapper answers WaitReceive by itself,
	// since it buffers what it receives.
	OwnWaitReceive bool

	// OwnEnd says that the wrapper has an end of its own, such as TLS does:
	// its Shutdown need not be the Shutdown of what it wraps.
	OwnEnd bool

	// Bubble runs each check in a bubble of testing/synctest.
	Bubble bool
}

// TestWrapper tests that a wrapper keeps what the stream below it can do and
// tells, and that it owns that stream. Run [TestByteStream] over the wrapper
// as well.
func TestWrapper(t *testing.T, m *WrapperMaker) {
	t.Helper()
	mustHave("WrapperMaker.Wrap", m.Wrap != nil)
	runAll(t, WrapperChecks(), m, m.Bubble)
}

// WrapperChecks returns the checks of [TestWrapper].
func WrapperChecks() []CheckOf[*WrapperMaker] {
	var checks []CheckOf[*WrapperMaker]
	for _, c := range []wrapperCheck{
		{"Every fact of what is wrapped passes through", wrapperFacts},
		{"Close closes what is wrapped", wrapperClose},
		{"Shutdown reaches what is wrapped", wrapperShutdown},
		{"Abort reaches what is wrapped", wrapperAbort},
		{"WaitReceive reaches what is wrapped", wrapperWaitReceive},
		{"Nothing goes past an overridden Send", wrapperBypass},
		{"A constructor that fails closes what it was given", wrapperFails},
	} {
		checks = append(checks, CheckOf[*WrapperMaker]{Name: c.name, Run: func(ctx context.Context, m *WrapperMaker) error {
			return m.run(ctx, c)
		}})
	}
	return checks
}

type wrapperCheck struct {
	name string
	body func(ctx context.Context, p *wrapperProbe)
}

func (m *WrapperMaker) run(ctx context.Context, c wrapperCheck) error {
	below := newSpy()
	w, err := m.Wrap(ctx, below)
	if err != nil {
		return fmt.Errorf("cannot wrap: %w", err)
	}
	p := &wrapperProbe{harness: newHarness(m.Bubble, w, below), WrapperMaker: m, w: w, below: below}
	return p.harness.run(ctx, func() { c.body(ctx, p) })
}

// A wrapperProbe is one check at work on one wrapper.
type wrapperProbe struct {
	*harness
	*WrapperMaker
	w     stream.ByteStream
	below *spy
}

func wrapperFacts(_ context.Context, p *wrapperProbe) {
	if err := passThrough(p.w, p.below); err != nil {
		p.fatalf("%w", err)
	}
	if _, err := spySaid.Get(p.w); err != nil {
		p.fatalf("a fact of what is wrapped is %v", err)
	}
	if _, err := spyFails.Get(p.w); err != errSpy {
		p.fatalf("an error that a fact below is comes as %v, want %v untouched", err, errSpy)
	}
	if !setStays(p.w) {
		p.fatalf("Attributes returned different sets")
	}
}

func wrapperClose(_ context.Context, p *wrapperProbe) {
	p.close(p.w)
	if !p.below.has("Close") {
		p.fatalf("Close does not close what is wrapped")
	}
	p.close(p.w)
}

func wrapperShutdown(ctx context.Context, p *wrapperProbe) {
	c := p.start("Shutdown", func() (int, error) { return 0, stream.Shutdown(ctx, p.w) })
	_, err := p.wait(ctx, c)
	if !p.OwnEnd && (err != nil || !p.below.has("Shutdown")) {
		p.fatalf("Shutdown returned %v, and does not reach what is wrapped", err)
	}
	if !p.below.has("Close") {
		p.fatalf("Shutdown does not close what is wrapped")
	}
	n, err := p.w.Send(ctx, []byte("x"))
	p.want("Send after Shutdown", n, err, net.ErrClosed)
}

func wrapperAbort(ctx context.Context, p *wrapperProbe) {
	c := p.start("Abort", func() (int, error) { return 0, stream.Abort(p.w, errAbort) })
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("Abort: %v", err)
	}
	if !p.below.has("Abort") {
		p.fatalf("Abort does not reach what is wrapped")
	}
	if cause := p.below.abortCause(); !errors.Is(cause, errAbort) {
		p.fatalf("Abort reaches what is wrapped with %v, want its cause", cause)
	}
}

func wrapperWaitReceive(ctx context.Context, p *wrapperProbe) {
	if p.OwnWaitReceive {
		return // TestByteStream tells whether it works
	}
	cctx, cancel := context.WithCancelCause(ctx)
	c := p.start("WaitReceive", func() (int, error) { return 0, stream.WaitReceive(cctx, p.w) })
	select {
	case <-p.below.waits:
	case <-c.done:
	case <-ctx.Done():
	}
	cancel(errCustom)
	_, err := p.wait(ctx, c)
	p.want("the canceled WaitReceive", 0, err, errCustom)
	if !p.below.has("WaitReceive") {
		p.fatalf("WaitReceive does not reach what is wrapped")
	}
}

// wrapperBypass looks for methods that a wrapper got by embedding, and that
// lead past a method which it declares.
func wrapperBypass(_ context.Context, p *wrapperProbe) {
	for _, name := range []string{"SendBuffers", "TrySend"} {
		if isDeclared(p.w, "Send") && isPromoted(p.w, name) {
			p.fatalf("%T declares Send, and has %s by embedding a stream: it goes past that Send", p.w, name)
		}
	}
}

func isDeclared(v any, name string) bool {
	_, ok := reflect.TypeOf(v).MethodByName(name)
	return ok && !isPromoted(v, name)
}

// isPromoted reports whether v has a method that the compiler wrote.
func isPromoted(v any, name string) bool {
	m, ok := reflect.TypeOf(v).MethodByName(name)
	if !ok {
		return false
	}
	code := runtime.FuncForPC(m.Func.Pointer())
	file, _ := code.FileLine(code.Entry())
	return file == "<autogenerated>"
}

func wrapperFails(ctx context.Context, p *wrapperProbe) {
	if p.Fail == nil {
		return
	}
	below := newSpy()
	if err := p.Fail(ctx, below); err == nil {
		p.fatalf("the constructor that has to fail returned no error")
	}
	if !below.has("Close") && !below.has("Abort") {
		p.fatalf("a constructor that failed does not close what it was given")
	}
	below.Close()
}
