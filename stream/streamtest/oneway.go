package streamtest

import (
	"cmp"
	"context"
	"fmt"
	"testing"

	"github.com/strata-go/strata/stream"
)

// A OneWayMaker makes connections in one direction for [TestOneWay], and says
// what they cannot do, as [Maker] does.
type OneWayMaker struct {
	// Pipe returns a new sender and the receiver of what it sends, such as
	// the two ends of an operating system's pipe. It is called many times; the
	// suite closes both ends.
	Pipe func(ctx context.Context) (s stream.ByteSender, r stream.ByteReceiver, err error)

	// Clogged is Pipe for connections on which no byte can be sent until r
	// receives. Nil means that there is none: see Holds.
	Clogged func(ctx context.Context) (s stream.ByteSender, r stream.ByteReceiver, err error)

	// Holds is the most bytes that a connection holds which were sent and not
	// yet received. Zero means that nobody knows, as in [Maker].
	Holds int

	// NoWaitReceive says that WaitReceive is errors.ErrUnsupported.
	NoWaitReceive bool

	// NoBroken says that the sender does not learn that the receiver is gone.
	NoBroken bool

	// CancelBreaksSend says that a Send which is canceled after it began
	// breaks the stream.
	CancelBreaksSend bool

	// Encodes says that Send may return len(p) together with an error.
	Encodes bool

	// Bubble runs each check in a bubble of testing/synctest.
	Bubble bool

	// Operations is how many calls each end of a storm makes. Zero means
	// 2,000.
	Operations int
}

// TestOneWay tests that a sender and a receiver hold what stream's contract
// says of one direction, as [TestByteStream] does for both. Close of the
// sender is the end that the receiver meets.
func TestOneWay(t *testing.T, m *OneWayMaker) {
	t.Helper()
	mustHave("OneWayMaker.Pipe", m.Pipe != nil)
	runAll(t, OneWayChecks(), m, m.Bubble)
}

// OneWayChecks returns the checks of [TestOneWay].
func OneWayChecks() []CheckOf[*OneWayMaker] {
	var checks []CheckOf[*OneWayMaker]
	for _, c := range oneWayChecks() {
		checks = append(checks, c.oneWay(false))
	}
	return checks
}

// TestStored tests a sender and a receiver between which bytes are kept, as
// in a file: the receiver meets an end wherever it has everything that was
// sent so far, and no call waits.
func TestStored(t *testing.T, m *OneWayMaker) {
	t.Helper()
	mustHave("OneWayMaker.Pipe", m.Pipe != nil)
	runAll(t, StoredChecks(), m, m.Bubble)
}

// StoredChecks returns the checks of [TestStored].
func StoredChecks() []CheckOf[*OneWayMaker] {
	var checks []CheckOf[*OneWayMaker]
	for _, c := range oneWayChecks() {
		if c.stored {
			checks = append(checks, c.oneWay(true))
		}
	}
	return checks
}

func (c check) oneWay(stored bool) CheckOf[*OneWayMaker] {
	return CheckOf[*OneWayMaker]{Name: c.name, Run: func(ctx context.Context, m *OneWayMaker) error {
		return m.run(ctx, c, stored)
	}}
}

func (m *OneWayMaker) run(ctx context.Context, c check, stored bool) error {
	clogged, pipe := false, m.Pipe
	if c.clogged && m.Clogged != nil {
		clogged, pipe = true, m.Clogged
	}
	s, r, err := pipe(ctx)
	if err != nil {
		return fmt.Errorf("cannot make a connection: %w", err)
	}
	p := &probe{
		harness: newHarness(m.Bubble, s, r),
		rules:   m.rules(stored),
		s:       s, r: r,
		clogged: clogged,
	}
	return p.run(ctx, func() { c.body(ctx, p) })
}

func (m *OneWayMaker) rules(stored bool) rules {
	return rules{
		noWaitReceive:    m.NoWaitReceive,
		noBroken:         m.NoBroken,
		cancelBreaksSend: m.CancelBreaksSend,
		encodes:          m.Encodes,
		stored:           stored,
		holds:            m.Holds,
		operations:       cmp.Or(m.Operations, defaultOperations),
	}
}
