package streamtest_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

// bare loses what embedding an interface loses: Shutdown, Abort and
// WaitReceive.
type bare struct{ stream.ByteStream }

// silent loses the attributes.
type silent struct{ stream.Wrapper }

func (silent) Attributes() *attr.Set { return nil }

// forgetful closes only itself.
type forgetful struct{ stream.Wrapper }

func (forgetful) Close() error                     { return nil }
func (f forgetful) Shutdown(context.Context) error { return nil }

// causeless keeps the cause of an Abort to itself.
type causeless struct{ stream.Wrapper }

func (c causeless) Abort(error) error { return stream.Abort(c.ByteStream, nil) }

// concrete is a stream with everything, and counting a wrapper that embeds it
// and overrides Send, past which SendBuffers goes.
type concrete struct{ stream.Wrapper }

func (concrete) SendBuffers(context.Context, [][]byte) (int64, error) { return 0, io.ErrShortWrite }

type counting struct {
	*concrete
	sent int
}

func (c *counting) Send(ctx context.Context, p []byte) (int, error) {
	n, err := c.concrete.Send(ctx, p)
	c.sent += n
	return n, err
}

func TestEveryWrapperFaultIsFound(t *testing.T) {
	wrapper := func(s stream.ByteStream) stream.Wrapper { return stream.Wrapper{ByteStream: s} }
	tests := []struct {
		name   string
		wrap   func(stream.ByteStream) stream.ByteStream
		checks []string
	}{
		{"loses capabilities", func(s stream.ByteStream) stream.ByteStream { return bare{s} },
			[]string{"Shutdown reaches what is wrapped", "Abort reaches what is wrapped", "WaitReceive reaches what is wrapped"}},
		{"loses attributes", func(s stream.ByteStream) stream.ByteStream { return silent{wrapper(s)} },
			[]string{"Every fact of what is wrapped passes through"}},
		{"leaves open", func(s stream.ByteStream) stream.ByteStream { return forgetful{wrapper(s)} },
			[]string{"Close closes what is wrapped", "Shutdown reaches what is wrapped"}},
		{"loses the cause", func(s stream.ByteStream) stream.ByteStream { return causeless{wrapper(s)} },
			[]string{"Abort reaches what is wrapped"}},
		{"is passed by", func(s stream.ByteStream) stream.ByteStream { return &counting{concrete: &concrete{wrapper(s)}} },
			[]string{"Nothing goes past an overridden Send"}},
		{"fails and leaves open", func(s stream.ByteStream) stream.ByteStream { return wrapper(s) },
			[]string{"A constructor that fails closes what it was given"}},
	}
	checks := byName(streamtest.WrapperChecks())
	found := make(map[string]bool)
	for _, tt := range tests {
		m := &streamtest.WrapperMaker{
			Wrap: func(_ context.Context, s stream.ByteStream) (stream.ByteStream, error) { return tt.wrap(s), nil },
			Fail: func(context.Context, stream.ByteStream) error { return errTest },
		}
		for _, name := range tt.checks {
			found[name] = true
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				require.Contains(t, checks, name)
				synctest.Test(t, func(t *testing.T) { assert.Error(t, runCheck(t, checks[name], m)) })
			})
		}
	}
	for name := range checks {
		assert.True(t, found[name], "no fault is to be found by %q", name)
	}
}

// stack is a top over a pipe, and the attributes that the top tells.
type stack struct {
	*end
	tell func() *attr.Set
}

func (s *stack) Attributes() *attr.Set { return s.tell() }

var (
	errFact   = attr.New[int]("test.error")
	errsBelow = attr.Define(attr.From(errFact, func(*end) (int, error) { return 0, errTest }))
	errsAbove = attr.Define(attr.From(errFact, func(*stack) (int, error) { return 0, io.EOF }))
)

func TestEveryAttributesFaultIsFound(t *testing.T) {
	tests := []struct {
		name   string
		names  []string
		tell   func(s *stack) func() *attr.Set
		checks []string
	}{
		{"makes a set each time", nil,
			func(s *stack) func() *attr.Set { return func() *attr.Set { return pipeEnd.For(s.end) } },
			[]string{"The set is the same each time"}},
		{"lacks a fact", []string{"test.pipe_name", "test.error"},
			func(s *stack) func() *attr.Set { return s.end.Attributes },
			[]string{"The facts that are named are there"}},
		{"passes nothing through", nil,
			func(s *stack) func() *attr.Set { return func() *attr.Set { return nil } },
			[]string{"Every fact of what is wrapped passes through"}},
		{"forgets when closed", nil,
			func(s *stack) func() *attr.Set { s.faults = []fault{"forgets an attribute"}; return s.end.Attributes },
			[]string{"Attributes answer, also after Close"}},
		{"does not bear many", nil,
			func(s *stack) func() *attr.Set { return func() *attr.Set { <-s.stop; return nil } },
			[]string{"Many may look up at once"}},
	}
	checks := byName(streamtest.AttributesChecks())
	found := make(map[string]bool)
	for _, tt := range tests {
		for _, name := range tt.checks {
			found[name] = true
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				require.Contains(t, checks, name)
				assert.Error(t, tryStack(t, checks[name], tt.names, tt.tell))
			})
		}
	}
	for name := range checks {
		assert.True(t, found[name], "no fault is to be found by %q", name)
	}
}

func tryStack(t *testing.T, c streamtest.CheckOf[*streamtest.AttributesMaker], names []string, tell func(*stack) func() *attr.Set) (err error) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newPipe(1, "leaks a goroutine") // for the channel that ends it
		top := &stack{end: a}
		top.tell = tell(top)
		err = runCheck(t, c, &streamtest.AttributesMaker{Names: names, Bubble: true,
			Stack: func(context.Context) (stream.Resource, []attr.Provider, error) {
				return top, []attr.Provider{a}, nil
			}})
		a.kill()
	})
	return err
}

func TestAnErrorOfAFactPassesUntouched(t *testing.T) {
	c := byName(streamtest.AttributesChecks())["Every fact of what is wrapped passes through"]
	a, _ := newPipe(1)
	below := errsBelow.For(a)
	top := &stack{end: a}
	replaced := errsAbove.For(top)
	m := &streamtest.AttributesMaker{Stack: func(context.Context) (stream.Resource, []attr.Provider, error) {
		return top, []attr.Provider{below}, nil
	}}
	top.tell = func() *attr.Set { return replaced }
	assert.Error(t, runCheck(t, c, m))
	top.tell = func() *attr.Set { return below }
	assert.NoError(t, runCheck(t, c, m))
}

func TestMakersThatFailAreReported(t *testing.T) {
	m := &streamtest.Maker{Pipe: func(context.Context) (a, b stream.ByteStream, err error) { return nil, nil, errTest }}
	for _, c := range streamtest.ByteStreamChecks() {
		assert.ErrorIs(t, runCheck(t, c, m), errTest)
	}
}
