package streamtest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/strata-go/strata/stream"
)

// A ListenerMaker makes the listeners that [TestListener] tests.
type ListenerMaker[S stream.ByteStream] struct {
	// Listen returns a new listener and a way to connect to it, as often as
	// one likes and from several goroutines. It is called many times; the
	// suite closes the listener and the streams.
	Listen func(ctx context.Context) (ln stream.Listener[S], connect func(ctx context.Context) (stream.ByteStream, error), err error)

	// Relisten listens again where ln did, which is closed. Nil says that
	// listeners of this kind have no place of their own.
	Relisten func(ctx context.Context, ln stream.Listener[S]) (stream.Listener[S], error)

	// Bubble runs each check in a bubble of testing/synctest.
	Bubble bool
}

// TestListener tests that listeners hold what stream's contract says of them,
// and that what they accept works.
func TestListener[S stream.ByteStream](t *testing.T, m *ListenerMaker[S]) {
	t.Helper()
	mustHave("ListenerMaker.Listen", m.Listen != nil)
	runAll(t, ListenerChecks[S](), m, m.Bubble)
}

// ListenerChecks returns the checks of [TestListener].
func ListenerChecks[S stream.ByteStream]() []CheckOf[*ListenerMaker[S]] {
	var checks []CheckOf[*ListenerMaker[S]]
	for _, c := range []listenerCheck[S]{
		{"Accepted streams work", acceptedWorks[S]},
		{"A done context comes first", doneAccept[S]},
		{"A canceled Accept took no stream", canceledAccept[S]},
		{"The context of Accept covers only Accept", acceptContextEnds[S]},
		{"Several may accept", severalAccept[S]},
		{"Close wakes every Accept", closeWakesAccept[S]},
		{"Close may be repeated and called by many", closeListener[S]},
		{"Accept after Close is net.ErrClosed", acceptAfterClose[S]},
		{"Accepted streams outlive the listener", acceptedOutlives[S]},
		{"Nobody connects after Close", connectAfterClose[S]},
		{"The place is free after Close", listenAgain[S]},
		{"A peer that leaves at once does no harm", peerLeaves[S]},
		{"Attributes answer, also after Close", listenerAttributes[S]},
		{"A storm of cancels loses no stream", acceptStorm[S]},
	} {
		checks = append(checks, CheckOf[*ListenerMaker[S]]{Name: c.name, Run: func(ctx context.Context, m *ListenerMaker[S]) error {
			return m.run(ctx, c)
		}})
	}
	return checks
}

type listenerCheck[S stream.ByteStream] struct {
	name string
	body func(ctx context.Context, p *listenerProbe[S])
}

func (m *ListenerMaker[S]) run(ctx context.Context, c listenerCheck[S]) error {
	ln, connect, err := m.Listen(ctx)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	p := &listenerProbe[S]{harness: newHarness(m.Bubble, ln), ln: ln, connect: connect, relisten: m.Relisten}
	return p.run(ctx, func() { c.body(ctx, p) })
}

// A listenerProbe is one check at work on one listener.
type listenerProbe[S stream.ByteStream] struct {
	*harness
	ln       stream.Listener[S]
	connect  func(ctx context.Context) (stream.ByteStream, error)
	relisten func(ctx context.Context, ln stream.Listener[S]) (stream.Listener[S], error)
}

// pair connects and accepts.
func (p *listenerProbe[S]) pair(ctx context.Context) (client stream.ByteStream, server S) {
	c := p.start("Connect", func() (int, error) {
		s, err := p.connect(ctx)
		if err == nil {
			client = s
			p.closeLater(s)
		}
		return 0, err
	})
	server = p.accept(ctx)
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("Connect: %v", err)
	}
	return client, server
}

func (p *listenerProbe[S]) accept(ctx context.Context) S {
	s, err := p.ln.Accept(ctx)
	if err != nil {
		p.fatalf("Accept: %v", err)
	}
	p.closeLater(s)
	return s
}

// startAccept accepts in a call of its own.
func (p *listenerProbe[S]) startAccept(ctx context.Context) *call {
	ln := p.ln // p may be given another one meanwhile
	c := p.start("Accept", func() (int, error) {
		s, err := ln.Accept(ctx)
		if err != nil {
			return 0, err
		}
		p.closeLater(s)
		return 1, nil
	})
	p.yield()
	return c
}

func (p *listenerProbe[S]) acceptQuestion() []question {
	return []question{{"Accept", func(ctx context.Context) (int, error) {
		s, err := p.ln.Accept(ctx)
		if err != nil {
			return 0, err
		}
		p.closeLater(s)
		return 1, nil
	}}}
}

// talk sends bytes both ways between two streams.
func (h *harness) talk(ctx context.Context, a, b stream.ByteStream) {
	p := &probe{harness: h, a: a, b: b, s: a, r: b}
	p.sendBeside(ctx, "hello", func() { p.receive(ctx, "hello") })
	q := p.flip()
	q.sendBeside(ctx, "hello yourself", func() { q.receive(ctx, "hello yourself") })
}

func acceptedWorks[S stream.ByteStream](ctx context.Context, p *listenerProbe[S]) {
	for range 3 {
		client, server := p.pair(ctx)
		p.talk(ctx, client, server)
	}
	first, one := p.pair(ctx)
	second, two := p.pair(ctx)
	p.talk(ctx, second, two)
	p.talk(ctx, first, one)
}

func doneAccept[S stream.ByteStream](ctx context.Context, p *listenerProbe[S]) {
	p.wantDone(p.acceptQuestion(), "with nobody there")
	var client stream.ByteStream
	c := p.start("Connect", func() (_ int, err error) {
		if client, err = p.connect(ctx); err == nil {
			p.closeLater(client)
		}
		return 0, err
	})
	p.yield()
	p.wantDone(p.acceptQuestion(), "with a stream there")
	server := p.accept(ctx)
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("Connect: %v", err)
	}
	p.talk(ctx, client, server)
	p.close(p.ln)
	p.wantDone(p.acceptQuestion(), "after Close")
}

func canceledAccept[S stream.ByteStream](ctx context.Context, p *listenerProbe[S]) {
	for range 3 {
		cctx, cancel := context.WithCancelCause(ctx)
		c := p.startAccept(cctx)
		cancel(errCustom)
		n, err := p.wait(ctx, c)
		p.want("the canceled Accept", n, err, errCustom)
		p.wantCanceled("the canceled Accept", err)
		client, server := p.pair(ctx)
		p.talk(ctx, client, server)
	}
	dctx, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	n, err := p.acceptQuestion()[0].ask(dctx)
	p.want("Accept with a deadline", n, err, context.DeadlineExceeded)
	p.wantTimeout("Accept with a deadline", err, true)
}

func acceptContextEnds[S stream.ByteStream](ctx context.Context, p *listenerProbe[S]) {
	cctx, cancel := context.WithCancel(ctx)
	client, server := p.pair(cctx)
	cancel()
	p.yield()
	p.talk(ctx, client, server)
	client, server = p.pair(ctx)
	p.talk(ctx, client, server)
}

func severalAccept[S stream.ByteStream](ctx context.Context, p *listenerProbe[S]) {
	var accepts []*call
	for range 4 {
		accepts = append(accepts, p.startAccept(ctx))
	}
	for _, c := range accepts {
		p.stillInside(c)
	}
	for range accepts {
		s, err := p.connect(ctx)
		if err != nil {
			p.fatalf("Connect: %v", err)
		}
		p.closeLater(s)
	}
	for _, c := range accepts {
		if n, err := p.wait(ctx, c); n != 1 || err != nil {
			p.fatalf("one of several calls of Accept returned %v", err)
		}
	}
}

func closeWakesAccept[S stream.ByteStream](ctx context.Context, p *listenerProbe[S]) {
	accepts := []*call{p.startAccept(ctx), p.startAccept(ctx), p.startAccept(ctx)}
	p.close(p.ln)
	for _, c := range accepts {
		n, err := p.wait(ctx, c)
		p.want("Accept that Close woke", n, err, net.ErrClosed)
	}
}

func closeListener[S stream.ByteStream](ctx context.Context, p *listenerProbe[S]) {
	p.pair(ctx)
	var closes []*call
	for range 4 {
		closes = append(closes, p.start("Close", func() (int, error) { return 0, p.ln.Close() }))
	}
	for _, c := range closes {
		if _, err := p.wait(ctx, c); err != nil {
			p.fatalf("one of many calls of Close returned %v", err)
		}
	}
	p.close(p.ln)
}

func acceptAfterClose[S stream.ByteStream](ctx context.Context, p *listenerProbe[S]) {
	p.close(p.ln)
	for range 3 {
		p.wantAll(ctx, p.acceptQuestion(), "after Close", net.ErrClosed)
	}
}

func acceptedOutlives[S stream.ByteStream](ctx context.Context, p *listenerProbe[S]) {
	client, server := p.pair(ctx)
	p.close(p.ln)
	p.talk(ctx, client, server)
}

func connectAfterClose[S stream.ByteStream](ctx context.Context, p *listenerProbe[S]) {
	p.close(p.ln)
	s, err := p.connect(ctx)
	if err == nil {
		p.closeLater(s)
		p.fatalf("Connect to a closed listener succeeded")
	}
	if ctx.Err() != nil {
		p.fatalf("Connect to a closed listener waits")
	}
}

func listenAgain[S stream.ByteStream](ctx context.Context, p *listenerProbe[S]) {
	if p.relisten == nil {
		return
	}
	client, server := p.pair(ctx)
	c := p.startAccept(ctx)
	p.close(p.ln)
	ln, err := p.relisten(ctx, p.ln)
	if err != nil {
		p.fatalf("cannot listen where a listener was closed: %v", err)
	}
	p.closeLater(ln)
	p.ln = ln
	p.wait(ctx, c)
	p.talk(ctx, client, server)
	client, server = p.pair(ctx)
	p.talk(ctx, client, server)
}

func peerLeaves[S stream.ByteStream](ctx context.Context, p *listenerProbe[S]) {
	for _, leave := range []func(stream.ByteStream) error{
		func(s stream.ByteStream) error { return s.Close() },
		func(s stream.ByteStream) error { return stream.Abort(s, errAbort) },
	} {
		c := p.start("Connect and leave", func() (int, error) {
			s, err := p.connect(ctx)
			if err != nil {
				return 0, err
			}
			return 0, leave(s)
		})
		p.yield()
		d := p.start("Connect and say a number", func() (int, error) {
			<-c.done
			s, err := p.connect(ctx)
			if err != nil {
				return 0, err
			}
			p.closeLater(s)
			return s.Send(ctx, []byte{0, 7})
		})
		for { // the one that left may be accepted first, or never
			if number, err := readNumber(ctx, p.accept(ctx)); err == nil && number == 7 {
				break
			}
		}
		if _, err := p.wait(ctx, d); err != nil {
			p.fatalf("Connect after a peer left: %v", err)
		}
	}
}

func listenerAttributes[S stream.ByteStream](ctx context.Context, p *listenerProbe[S]) {
	c := p.start("a lookup of attributes", func() (int, error) {
		return 0, compareFacts(p.ln, func() { p.ln.Close() })
	})
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("%w", err)
	}
	if !setStays(p.ln) {
		p.fatalf("Attributes returned different sets")
	}
}

// stormConnections is how many streams a storm of Accepts is to accept.
const stormConnections = 200

// acceptStorm connects again and again while calls of Accept are canceled at
// random instants. Every stream says its number; each has to be accepted
// once.
func acceptStorm[S stream.ByteStream](ctx context.Context, p *listenerProbe[S]) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	connects := p.start("a storm of Connects", func() (int, error) {
		n, err := p.connectAll(ctx)
		if err != nil {
			fail(err) // or Accept would wait for what does not come
		}
		return n, err
	})
	var numbers []int
	for len(numbers) < stormConnections {
		cctx, stop := someContext(ctx)
		s, err := p.ln.Accept(cctx)
		stop()
		if err != nil && !errors.Is(err, errCustom) {
			p.fatalf("after %d streams of a storm Accept: %w", len(numbers), err)
		}
		if err == nil {
			p.closeLater(s)
			number, err := readNumber(ctx, s)
			if err != nil {
				p.fatalf("Receive from an accepted stream: %w", err)
			}
			numbers = append(numbers, number)
		}
	}
	if _, err := p.wait(ctx, connects); err != nil {
		p.fatalf("%w", err)
	}
	slices.Sort(numbers)
	if numbers = slices.Compact(numbers); len(numbers) != stormConnections {
		p.fatalf("%d of %d streams were accepted", len(numbers), stormConnections)
	}
}

// connectAll makes the streams of a storm, of which each says its number.
func (p *listenerProbe[S]) connectAll(ctx context.Context) (int, error) {
	for i := range stormConnections {
		s, err := p.connect(ctx)
		if err != nil {
			return i, fmt.Errorf("connecting: %w", err)
		}
		p.closeLater(s)
		if _, err := s.Send(ctx, binary.BigEndian.AppendUint16(nil, uint16(i))); err != nil {
			return i, fmt.Errorf("sending on a new stream: %w", err)
		}
	}
	return 0, nil
}

// readNumber receives what a stream of a storm says.
func readNumber(ctx context.Context, s stream.ByteReceiver) (int, error) {
	var number [2]byte
	for have := 0; have < len(number); {
		n, err := s.Receive(ctx, number[have:])
		if err != nil {
			return 0, err
		}
		have += n
	}
	return int(binary.BigEndian.Uint16(number[:])), nil
}
