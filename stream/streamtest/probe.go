package streamtest

import (
	"context"

	"github.com/strata-go/strata/stream"
)

// defaultOperations is how many calls each direction of a storm makes.
const defaultOperations = 2000

// A check is what the checks of one-way and two-way byte streams have in
// common before they meet a maker.
type check struct {
	name    string
	body    func(ctx context.Context, p *probe)
	clogged bool // wants a connection that takes nothing until it is received
	stored  bool // also holds where nothing blocks, as in a file
}

// rules is what the byte streams under test cannot do.
type rules struct {
	noHalfClose      bool
	noAbort          bool
	noWaitReceive    bool
	noBroken         bool
	cancelBreaksSend bool
	encodes          bool
	perDirection     bool
	shared           []string
	stored           bool
	holds            int // 0: unknown
	operations       int
}

// A probe is one check at work on one connection of byte streams: s sends
// what r receives. Where they are two-way streams, a is s and b is r.
type probe struct {
	*harness
	rules
	s       stream.ByteSender
	r       stream.ByteReceiver
	a, b    stream.ByteStream // nil on a one-way connection
	clogged bool              // s takes nothing until r receives
}

// flip returns the probe of the other direction, as part of the same check.
func (p *probe) flip() *probe {
	return &probe{harness: p.harness, rules: p.rules, a: p.b, b: p.a, s: p.b, r: p.a}
}

// bulk returns more bytes than the connection holds when nobody receives.
func (p *probe) bulk() []byte {
	switch {
	case p.holds > 0:
		return pattern()[:2*p.holds+4096]
	case p.clogged:
		return pattern()[:1<<20]
	}
	return pattern()
}

// large returns size bytes, or fewer for a connection that holds little.
func (p *probe) large(size int) []byte {
	if p.holds > 0 {
		size = min(size, 64*p.holds)
	}
	return pattern()[:size]
}
