package streamtest

import (
	"context"
	"fmt"
	"testing"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// An AttributesMaker makes the stacks of layers that [TestAttributes] tests.
type AttributesMaker struct {
	// Stack returns the top of a new stack, which the suite closes, and what
	// it wraps: each fact of these has to be found from the top.
	Stack func(ctx context.Context) (top stream.Resource, wrapped []attr.Provider, err error)

	// Names are the keys, by name, that the top itself has to answer, beside
	// those of what it wraps.
	Names []string

	// Bubble runs each check in a bubble of testing/synctest.
	Bubble bool
}

// TestAttributes tests what a stack of layers tells about itself.
func TestAttributes(t *testing.T, m *AttributesMaker) {
	t.Helper()
	mustHave("AttributesMaker.Stack", m.Stack != nil)
	runAll(t, AttributesChecks(), m, m.Bubble)
}

// AttributesChecks returns the checks of [TestAttributes].
func AttributesChecks() []CheckOf[*AttributesMaker] {
	var checks []CheckOf[*AttributesMaker]
	for _, c := range []attributesCheck{
		{"The set is the same each time", sameSet},
		{"The facts that are named are there", namedFacts},
		{"Every fact of what is wrapped passes through", factsPass},
		{"Attributes answer, also after Close", factsAfterClose},
		{"Many may look up at once", concurrentFacts},
	} {
		checks = append(checks, CheckOf[*AttributesMaker]{Name: c.name, Run: func(ctx context.Context, m *AttributesMaker) error {
			return m.run(ctx, c)
		}})
	}
	return checks
}

type attributesCheck struct {
	name string
	body func(ctx context.Context, p *attributesProbe)
}

func (m *AttributesMaker) run(ctx context.Context, c attributesCheck) error {
	top, wrapped, err := m.Stack(ctx)
	if err != nil {
		return fmt.Errorf("cannot make a stack: %w", err)
	}
	p := &attributesProbe{harness: newHarness(m.Bubble, top), top: top, wrapped: wrapped, names: m.Names}
	return p.run(ctx, func() { c.body(ctx, p) })
}

// An attributesProbe is one check at work on one stack.
type attributesProbe struct {
	*harness
	top     stream.Resource
	wrapped []attr.Provider
	names   []string
}

func sameSet(_ context.Context, p *attributesProbe) {
	first := p.top.Attributes()
	for range 3 {
		if p.top.Attributes() != first {
			p.fatalf("Attributes returned different sets")
		}
	}
	p.close(p.top)
	if p.top.Attributes() != first {
		p.fatalf("Attributes returned another set after Close")
	}
}

func namedFacts(_ context.Context, p *attributesProbe) {
	told := make(map[string]bool)
	for e := range attr.All(p.top) {
		if _, err := e.Value(); err == nil {
			told[e.Name()] = true
		}
	}
	for _, name := range p.names {
		if !told[name] {
			p.fatalf("no layer answers for %s", name)
		}
	}
}

func factsPass(_ context.Context, p *attributesProbe) {
	for _, below := range p.wrapped {
		if err := passThrough(p.top, below); err != nil {
			p.fatalf("%w", err)
		}
	}
}

func factsAfterClose(ctx context.Context, p *attributesProbe) {
	c := p.start("a lookup of attributes", func() (int, error) {
		return 0, compareFacts(p.top, func() { p.top.Close() })
	})
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("%w", err)
	}
}

// concurrentFacts looks everything up while the stack is closed, for the
// race detector.
func concurrentFacts(ctx context.Context, p *attributesProbe) {
	var lookups []*call
	for range 8 {
		lookups = append(lookups, p.start("a lookup of attributes", func() (int, error) {
			for range 10 {
				_ = facts(p.top)
				_ = attr.LogValue(p.top)
			}
			return 0, nil
		}))
	}
	p.close(p.top)
	for _, c := range lookups {
		p.wait(ctx, c)
	}
}
