package streamtest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/strata-go/strata/stream"
)

// A ConnectorMaker makes the connectors that [TestConnector] tests.
type ConnectorMaker[S stream.ByteStream] struct {
	// Connector returns a new connector; accept, which returns the other end
	// of the next stream that it made; and stop, which ends what both need,
	// after the streams were closed. It is called many times.
	Connector func(ctx context.Context) (c stream.Connector[S], accept func(ctx context.Context) (stream.ByteStream, error), stop func() error, err error)

	// Bubble runs each check in a bubble of testing/synctest.
	Bubble bool
}

// TestConnector tests that connectors hold what stream's contract says of
// them, and that what they make works.
func TestConnector[S stream.ByteStream](t *testing.T, m *ConnectorMaker[S]) {
	t.Helper()
	mustHave("ConnectorMaker.Connector", m.Connector != nil)
	runAll(t, ConnectorChecks[S](), m, m.Bubble)
}

// ConnectorChecks returns the checks of [TestConnector].
func ConnectorChecks[S stream.ByteStream]() []CheckOf[*ConnectorMaker[S]] {
	var checks []CheckOf[*ConnectorMaker[S]]
	for _, c := range []connectorCheck[S]{
		{"Connected streams work", connectedWorks[S]},
		{"A done context comes first", doneConnect[S]},
		{"The context of Connect covers only Connect", connectContextEnds[S]},
		{"Several may connect", severalConnect[S]},
		{"A storm of cancels leaves working streams", connectStorm[S]},
	} {
		checks = append(checks, CheckOf[*ConnectorMaker[S]]{Name: c.name, Run: func(ctx context.Context, m *ConnectorMaker[S]) error {
			return m.run(ctx, c)
		}})
	}
	return checks
}

type connectorCheck[S stream.ByteStream] struct {
	name string
	body func(ctx context.Context, p *connectorProbe[S])
}

func (m *ConnectorMaker[S]) run(ctx context.Context, c connectorCheck[S]) error {
	connector, accept, stop, err := m.Connector(ctx)
	if err != nil {
		return fmt.Errorf("cannot make a connector: %w", err)
	}
	p := &connectorProbe[S]{harness: newHarness(m.Bubble), c: connector, next: accept}
	err = p.run(ctx, func() { c.body(ctx, p) })
	return errors.Join(err, stop())
}

// A connectorProbe is one check at work on one connector.
type connectorProbe[S stream.ByteStream] struct {
	*harness
	c    stream.Connector[S]
	next func(ctx context.Context) (stream.ByteStream, error)
}

func (p *connectorProbe[S]) connectQuestion() []question {
	return []question{{"Connect", func(ctx context.Context) (int, error) {
		s, err := p.c.Connect(ctx)
		if err != nil {
			return 0, err
		}
		p.closeLater(s)
		return 1, nil
	}}}
}

// pair connects with a context, and accepts.
func (p *connectorProbe[S]) pair(ctx, connectCtx context.Context) (client S, server stream.ByteStream) {
	c := p.start("Connect", func() (_ int, err error) {
		if client, err = p.c.Connect(connectCtx); err == nil {
			p.closeLater(client)
		}
		return 0, err
	})
	server = p.accept(ctx)
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("Connect: %v", err)
	}
	return client, server
}

func (p *connectorProbe[S]) accept(ctx context.Context) stream.ByteStream {
	s, err := p.next(ctx)
	if err != nil {
		p.fatalf("the other end: %v", err)
	}
	p.closeLater(s)
	return s
}

func connectedWorks[S stream.ByteStream](ctx context.Context, p *connectorProbe[S]) {
	for range 3 {
		client, server := p.pair(ctx, ctx)
		p.talk(ctx, client, server)
	}
}

func doneConnect[S stream.ByteStream](ctx context.Context, p *connectorProbe[S]) {
	p.wantDone(p.connectQuestion(), "with a done context")
	client, server := p.pair(ctx, ctx)
	p.talk(ctx, client, server)
}

func connectContextEnds[S stream.ByteStream](ctx context.Context, p *connectorProbe[S]) {
	cctx, cancel := context.WithCancel(ctx)
	client, server := p.pair(ctx, cctx)
	cancel()
	p.yield()
	p.talk(ctx, client, server)
}

func severalConnect[S stream.ByteStream](ctx context.Context, p *connectorProbe[S]) {
	var connects []*call
	for range 8 {
		connects = append(connects, p.start("Connect", func() (int, error) { return p.connectQuestion()[0].ask(ctx) }))
	}
	for range connects {
		p.accept(ctx)
	}
	for _, c := range connects {
		if _, err := p.wait(ctx, c); err != nil {
			p.fatalf("one of several calls of Connect returned %v", err)
		}
	}
}

// connectStorm connects with cancellations at random instants: a Connect that
// returned a stream made one that works, though its context ends then; what
// the others left on the other side is only ever closed.
func connectStorm[S stream.ByteStream](ctx context.Context, p *connectorProbe[S]) {
	for range 50 {
		actx, stopAccepts := context.WithCancel(ctx)
		accepts := p.start("accept", func() (int, error) { return p.echo(actx) })
		cctx, stop := someContext(ctx)
		s, err := p.c.Connect(cctx)
		stop()
		if err == nil {
			p.closeLater(s)
			p.ping(ctx, s)
		} else if !errors.Is(err, errCustom) {
			p.fatalf("Connect in a storm: %w", err)
		}
		stopAccepts()
		p.wait(ctx, accepts)
	}
}

// echo accepts streams and sends the first byte of each back.
func (p *connectorProbe[S]) echo(ctx context.Context) (int, error) {
	for {
		s, err := p.next(ctx)
		if err != nil {
			return 0, err
		}
		p.closeLater(s)
		buf := make([]byte, 1)
		if _, err := s.Receive(ctx, buf); err == nil {
			s.Send(ctx, buf) // ping tells whether it arrived
		}
	}
}

func (p *connectorProbe[S]) ping(ctx context.Context, s S) {
	buf := []byte("?")
	if n, err := s.Send(ctx, buf); n != 1 || err != nil {
		p.fatalf("Send on a connected stream returned %d, %v", n, err)
	}
	if n, err := s.Receive(ctx, buf); n != 1 || err != nil {
		p.fatalf("Receive on a connected stream returned %d, %v", n, err)
	}
}
