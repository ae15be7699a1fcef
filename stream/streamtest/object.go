package streamtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/strata-go/strata/stream"
)

// An ObjectMaker makes the streams that [TestObjectStream] tests, and says
// what they cannot do.
type ObjectMaker[T any] struct {
	// Pipe returns the two ends of a new connection. It is called many times;
	// the suite closes both ends.
	Pipe func(ctx context.Context) (a, b stream.ObjectStream[T], err error)

	Items[T]

	// NoHalfClose says that SendEOF is errors.ErrUnsupported and has no
	// effect.
	NoHalfClose bool
}

// An ObjectOneWayMaker makes connections in one direction for
// [TestObjectOneWay].
type ObjectOneWayMaker[T any] struct {
	// Pipe returns a new sender and the receiver of what it sends. It is
	// called many times; the suite closes both.
	Pipe func(ctx context.Context) (s stream.ObjectSender[T], r stream.ObjectReceiver[T], err error)

	Items[T]
}

// Items is what the suites of object streams have to know of the items and
// of those who send and receive them.
type Items[T any] struct {
	// Item returns the item with the number i, from 0 on. Item 0 should be
	// the zero value of T where that is an item like any other.
	Item func(i int) T

	// Number is the inverse of Item: which item it is that arrived, or -1 if
	// it is none of those that Item makes.
	Number func(item T) int

	// Shared says that each direction serves any number of callers at once,
	// first come first served, as the streams in memory do. Without it a
	// second caller is turned away with stream.ErrBusy.
	Shared bool

	// Encodes says that an item is sent in pieces, so that a Send that was
	// canceled may still deliver it: its rest goes first next time.
	Encodes bool

	// CancelBreaksSend says that a Send which is canceled after it began
	// breaks the stream.
	CancelBreaksSend bool

	// Bubble runs each check in a bubble of testing/synctest, where the order
	// of those who wait can be checked too.
	Bubble bool

	// Operations is how many calls each end of a storm makes. Zero means
	// 2,000.
	Operations int
}

// TestObjectStream tests that streams of items hold stream's contract, in
// both directions, each check of [ObjectStreamChecks] as a subtest.
func TestObjectStream[T any](t *testing.T, m *ObjectMaker[T]) {
	t.Helper()
	mustHave("ObjectMaker.Pipe", m.Pipe != nil)
	mustHave("Items.Item", m.Item != nil)
	mustHave("Items.Number", m.Number != nil)
	runAll(t, ObjectStreamChecks[T](), m, m.Bubble)
}

// ObjectStreamChecks returns the checks of streams that carry items both
// ways.
func ObjectStreamChecks[T any]() []CheckOf[*ObjectMaker[T]] {
	var checks []CheckOf[*ObjectMaker[T]]
	for _, c := range append(objectOneWayChecks[T](), objectTwoWayChecks[T]()...) {
		checks = append(checks, CheckOf[*ObjectMaker[T]]{Name: c.name, Run: func(ctx context.Context, m *ObjectMaker[T]) error {
			return errors.Join(m.run(ctx, c, false), m.run(ctx, c, true))
		}})
	}
	return checks
}

// TestObjectOneWay tests that a sender and a receiver of items hold what
// stream's contract says of one direction. Close of the sender is the end
// that the receiver meets.
func TestObjectOneWay[T any](t *testing.T, m *ObjectOneWayMaker[T]) {
	t.Helper()
	mustHave("ObjectOneWayMaker.Pipe", m.Pipe != nil)
	mustHave("Items.Item", m.Item != nil)
	mustHave("Items.Number", m.Number != nil)
	runAll(t, ObjectOneWayChecks[T](), m, m.Bubble)
}

// ObjectOneWayChecks returns the checks of [TestObjectOneWay].
func ObjectOneWayChecks[T any]() []CheckOf[*ObjectOneWayMaker[T]] {
	var checks []CheckOf[*ObjectOneWayMaker[T]]
	for _, c := range objectOneWayChecks[T]() {
		checks = append(checks, CheckOf[*ObjectOneWayMaker[T]]{Name: c.name, Run: func(ctx context.Context, m *ObjectOneWayMaker[T]) error {
			return m.run(ctx, c)
		}})
	}
	return checks
}

func (m *ObjectMaker[T]) run(ctx context.Context, c objectCheck[T], flipped bool) error {
	a, b, err := m.Pipe(ctx)
	if err != nil {
		return fmt.Errorf("cannot make a connection: %w", err)
	}
	name := "from a to b"
	if flipped {
		a, b = b, a
		name = "from b to a"
	}
	p := &objectProbe[T]{
		harness:     newHarness(m.Bubble, a, b),
		Items:       m.Items.withDefaults(),
		noHalfClose: m.NoHalfClose,
		a:           a, b: b, s: a, r: b,
	}
	if err := p.run(ctx, func() { c.body(ctx, p) }); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (m *ObjectOneWayMaker[T]) run(ctx context.Context, c objectCheck[T]) error {
	s, r, err := m.Pipe(ctx)
	if err != nil {
		return fmt.Errorf("cannot make a connection: %w", err)
	}
	p := &objectProbe[T]{
		harness: newHarness(m.Bubble, s, r),
		Items:   m.Items.withDefaults(),
		s:       s, r: r,
	}
	return p.run(ctx, func() { c.body(ctx, p) })
}

func (i Items[T]) withDefaults() Items[T] {
	i.Operations = cmp.Or(i.Operations, defaultOperations)
	return i
}

// objectCheck is what the checks of one-way and two-way streams of items
// have in common.
type objectCheck[T any] struct {
	name string
	body func(ctx context.Context, p *objectProbe[T])
}

// An objectProbe is one check at work on one connection: s sends what r
// receives.
type objectProbe[T any] struct {
	*harness
	Items[T]
	noHalfClose bool
	s           stream.ObjectSender[T]
	r           stream.ObjectReceiver[T]
	a, b        stream.ObjectStream[T] // nil on a one-way connection
}

func (p *objectProbe[T]) flip() *objectProbe[T] {
	q := *p
	q.a, q.b, q.s, q.r = p.b, p.a, p.b, p.a
	return &q
}

// startSend sends the items from number from to before to.
func (p *objectProbe[T]) startSend(ctx context.Context, from, to int) *call {
	return p.start("Send", func() (int, error) {
		for i := from; i < to; i++ {
			if err := p.s.Send(ctx, p.Item(i)); err != nil {
				return i - from, err
			}
		}
		return to - from, nil
	})
}

// sent wants c to have sent n items.
func (p *objectProbe[T]) sent(ctx context.Context, c *call, n int) {
	if got, err := p.wait(ctx, c); got != n || err != nil {
		p.fatalf("Send sent %d items of %d, and then returned %v", got, n, err)
	}
}

// receive wants the items from number from to before to.
func (p *objectProbe[T]) receive(ctx context.Context, from, to int) {
	for i := from; i < to; i++ {
		item, err := p.r.Receive(ctx)
		if err != nil {
			p.fatalf("Receive returned %v, want item %d", err, i)
		}
		if got := p.Number(item); got != i {
			p.fatalf("received item %d (%v), want item %d", got, item, i)
		}
	}
}

// carry sends items and receives them.
func (p *objectProbe[T]) carry(ctx context.Context, from, to int) {
	c := p.startSend(ctx, from, to)
	p.receive(ctx, from, to)
	p.sent(ctx, c, to-from)
}

// endOf ends the sending direction of s, for use in a call.
func (p *objectProbe[T]) endOf(ctx context.Context) error {
	if p.a == nil || p.noHalfClose {
		return p.s.Close()
	}
	return p.a.SendEOF(ctx)
}

func (p *objectProbe[T]) end(ctx context.Context) {
	if err := p.endOf(ctx); err != nil {
		p.fatalf("the end: %v", err)
	}
}

// receiveQuestion receives, and calls an item that arrives n == 1.
func (p *objectProbe[T]) receiveQuestion() []question {
	return []question{{"Receive", func(ctx context.Context) (int, error) {
		_, err := p.r.Receive(ctx)
		return boolInt(err == nil), err
	}}}
}

// sendQuestions ask with an item that is never to arrive.
func (p *objectProbe[T]) sendQuestions() []question {
	qs := []question{{"Send", func(ctx context.Context) (int, error) { return 0, p.s.Send(ctx, p.Item(1<<16)) }}}
	if p.a != nil && !p.noHalfClose {
		qs = append(qs, question{"SendEOF", func(ctx context.Context) (int, error) { return 0, p.a.SendEOF(ctx) }})
	}
	return qs
}
