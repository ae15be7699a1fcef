package streamtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/strata-go/strata/stream"
)

// A Maker makes the streams that [TestByteStream] tests, and says what they
// cannot do. The fields that are false by default are for transports that
// have no way to hold a line of the contract: each makes the suite want the
// transport's own, documented behavior instead.
type Maker struct {
	// Pipe returns the two ends of a new connection. It is called many times.
	// The suite closes both ends. Whatever else a connection needs, such as a
	// listener, must be gone when both are closed.
	Pipe func(ctx context.Context) (a, b stream.ByteStream, err error)

	// Clogged returns a new connection on which no byte can be sent from a
	// until b receives. What fills it is unread in b, and nothing is
	// unread in a. Nil means that there is no cheaper way than to send what no
	// buffer holds: see Holds.
	Clogged func(ctx context.Context) (a, b stream.ByteStream, err error)

	// Holds is the most bytes that one direction of a connection holds which
	// were sent and not yet received. Zero means that nobody knows: to make a
	// Send wait the suite then sends 32 MiB. A small number makes the suite
	// faster, since no transfer is larger than 64 times as much.
	Holds int

	// NoHalfClose says that SendEOF is errors.ErrUnsupported and has no
	// effect.
	NoHalfClose bool

	// NoAbort says that stream.Abort is no more than Close, so that the peer
	// may see a clean end.
	NoAbort bool

	// NoWaitReceive says that WaitReceive is errors.ErrUnsupported.
	NoWaitReceive bool

	// CancelBreaksSend says that a Send which is canceled after it began
	// breaks the stream, as on a foreign *crypto/tls.Conn.
	CancelBreaksSend bool

	// Encodes says that Send may return len(p) together with an error: all of
	// p was taken and its tail goes first next time, as with TLS.
	Encodes bool

	// PerDirection says that each direction fails by itself, as those of a
	// stream of QUIC do: when the peer gives up one, the other goes on. What was
	// sent before the peer's Abort may then be lost with it, even if it arrived.
	PerDirection bool

	// Shared names the attributes that are live and belong to a layer which
	// outlives the stream, such as the connection of a stream of QUIC: they go
	// on changing after Close.
	Shared []string

	// Bubble runs each check in a bubble of testing/synctest, where a hang is
	// found at once. It is for streams in memory whose Pipe does all it does
	// inside the bubble.
	Bubble bool

	// Operations is how many calls each direction of a storm makes. Zero means
	// 2,000.
	Operations int
}

// TestByteStream tests that the streams of m hold stream's contract, each
// check of [ByteStreamChecks] as a subtest with 30 seconds to pass, and that
// no goroutine and, on Linux, no descriptor is left behind. It counts those of
// the whole process: do not run it in parallel with other tests.
func TestByteStream(t *testing.T, m *Maker) {
	t.Helper()
	mustHave("Maker.Pipe", m.Pipe != nil)
	runAll(t, ByteStreamChecks(), m, m.Bubble)
}

// ByteStreamChecks returns the checks of streams that carry bytes both ways.
// Each runs with the ends as they come from the maker, and again with their
// roles exchanged.
func ByteStreamChecks() []Check {
	var checks []Check
	for _, c := range append(oneWayChecks(), twoWayChecks()...) {
		checks = append(checks, Check{Name: c.name, Run: func(ctx context.Context, m *Maker) error {
			return errors.Join(
				m.run(ctx, c, false),
				m.run(ctx, c, true),
			)
		}})
	}
	return checks
}

// run runs one check on one new connection.
func (m *Maker) run(ctx context.Context, c check, flipped bool) error {
	clogged, pipe := false, m.Pipe
	if c.clogged && !flipped && m.Clogged != nil {
		clogged, pipe = true, m.Clogged
	}
	a, b, err := pipe(ctx)
	if err != nil {
		return fmt.Errorf("cannot make a connection: %w", err)
	}
	name := "from a to b"
	if flipped {
		a, b = b, a
		name = "from b to a"
	}
	p := &probe{
		harness: newHarness(m.Bubble, a, b),
		rules:   m.rules(),
		a:       a, b: b, s: a, r: b,
		clogged: clogged,
	}
	if err := p.run(ctx, func() { c.body(ctx, p) }); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (m *Maker) rules() rules {
	return rules{
		noHalfClose:      m.NoHalfClose,
		noAbort:          m.NoAbort,
		noWaitReceive:    m.NoWaitReceive,
		cancelBreaksSend: m.CancelBreaksSend,
		encodes:          m.Encodes,
		perDirection:     m.PerDirection,
		shared:           m.Shared,
		holds:            m.Holds,
		operations:       cmp.Or(m.Operations, defaultOperations),
	}
}
