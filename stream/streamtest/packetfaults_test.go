package streamtest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

// packets is an end of a pipe of packets with faults, over streams of items
// of package memory. A peer that is gone swallows what it is sent.
type packets struct {
	s      *memory.Sender[int]
	r      *memory.Receiver[int]
	faults []fault
	killed chan struct{}
	done   chan struct{} // closed by Close

	mu     sync.Mutex
	closed bool
	closes int
	inside bool
	drop   bool
}

func (p *packets) has(f fault) bool { return slices.Contains(p.faults, f) }

func packetPipe(faults ...fault) (a, b *packets, kill func()) {
	s, r := memory.New[int](100)
	back, there := memory.New[int](100)
	killed := make(chan struct{})
	a = &packets{s: s, r: there, faults: faults, killed: killed, done: make(chan struct{})}
	b = &packets{s: back, r: r, faults: faults, killed: killed, done: make(chan struct{})}
	return a, b, func() { close(killed) }
}

func packetMaker(bubble bool, faults ...fault) *streamtest.PacketMaker[int] {
	itself := func(i int) int { return i }
	return &streamtest.PacketMaker[int]{Packet: itself, Number: itself, Bubble: bubble,
		Pipe: func(context.Context) (stream.PacketStream[int], stream.PacketStream[int], error) {
			a, b, _ := packetPipe(faults...)
			return a, b, nil
		}}
}

func (p *packets) Attributes() *attr.Set {
	if p.has("makes a set each time") {
		return new(attr.Set)
	}
	return nil
}

// open is the answer to a call that cannot be served.
func (p *packets) open(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := stream.ContextError(ctx); err != nil && !p.has("does not look at the context first") {
		return err
	}
	if p.closed {
		if p.has("the end after Close") {
			return io.EOF
		}
		return net.ErrClosed
	}
	return nil
}

func (p *packets) Receive(ctx context.Context) (int, error) {
	if err := p.open(ctx); err != nil {
		return 0, err
	}
	if p.has("waits whatever the context") || ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	packet, err := p.r.Receive(ctx)
	p.mu.Lock()
	drop := p.drop
	p.drop = err != nil && p.has("drops a packet on cancel")
	p.mu.Unlock()
	switch {
	case err == nil && drop:
		return p.r.Receive(ctx)
	case err == nil && p.has("changes packets"):
		return packet + 1, nil
	case errors.Is(err, net.ErrClosed) && p.has("Close does not wake Receive"):
		<-p.killed
	case err == io.EOF && !p.has("the peer's end is ours"):
		return 0, p.wait(ctx) // packets have no end
	}
	return packet, err
}

func (p *packets) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return stream.ContextError(ctx)
	case <-p.done:
		return net.ErrClosed
	}
}

func (p *packets) Send(ctx context.Context, packet int) error {
	if err := p.open(ctx); err != nil {
		return err
	}
	if p.has("turns others away") {
		if !p.in() {
			return stream.ErrBusy
		}
		defer p.out()
	}
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	err := p.s.Send(ctx, packet)
	if errors.Is(err, stream.ErrBroken) && !p.has("breaks") {
		return nil
	}
	return err
}

// in lets one Send in, and takes its time about it.
func (p *packets) in() bool {
	p.mu.Lock()
	if p.inside {
		p.mu.Unlock()
		return false
	}
	p.inside = true
	p.mu.Unlock()
	synctest.Wait()
	return true
}

func (p *packets) out() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inside = false
}

func (p *packets) Close() error {
	p.mu.Lock()
	if !p.closed {
		close(p.done)
	}
	p.closed = true
	p.closes++
	again := p.closes > 1
	p.mu.Unlock()
	err := errors.Join(p.s.Close(), p.r.Close())
	if again && p.has("a second Close is an error") {
		return net.ErrClosed
	}
	return err
}

var packetFaults = []struct {
	fault  fault
	checks []string
}{
	{"changes packets", []string{"Packets arrive whole", "A storm of cancels loses no packet that arrived"}},
	{"does not look at the context first", []string{"A done context comes first"}},
	{"drops a packet on cancel", []string{"A canceled Receive took nothing", "A storm of cancels loses no packet that arrived"}},
	{"waits whatever the context", []string{"A deadline ends Receive"}},
	{"turns others away", []string{"Several may send"}},
	{"Close does not wake Receive", []string{"Close wakes Receive"}},
	{"a second Close is an error", []string{"Close may be repeated and called by many"}},
	{"the end after Close", []string{"Everything is net.ErrClosed after Close"}},
	{"breaks", []string{"A peer that is gone breaks nothing"}},
	{"the peer's end is ours", []string{"A peer that is gone breaks nothing"}},
	{"makes a set each time", []string{"Attributes answer, also after Close"}},
}

func TestEveryPacketStreamFaultIsFound(t *testing.T) {
	checks := byName(streamtest.PacketStreamChecks[int]())
	found := make(map[string]bool)
	for _, row := range packetFaults {
		for _, name := range row.checks {
			found[name] = true
			t.Run(string(row.fault)+"/"+name, func(t *testing.T) {
				require.Contains(t, checks, name)
				assert.Error(t, tryPacketFault(t, checks[name], row.fault))
			})
		}
	}
	for name := range checks {
		assert.True(t, found[name], "no fault is to be found by %q", name)
	}
}

func tryPacketFault(t *testing.T, c streamtest.CheckOf[*streamtest.PacketMaker[int]], f fault) (err error) {
	synctest.Test(t, func(t *testing.T) {
		var kills []func()
		m := packetMaker(true)
		m.Pipe = func(context.Context) (stream.PacketStream[int], stream.PacketStream[int], error) {
			a, b, kill := packetPipe(f)
			kills = append(kills, kill, func() { a.Close(); b.Close() })
			return a, b, nil
		}
		err = runCheck(t, c, m)
		for _, kill := range kills {
			kill()
		}
	})
	return err
}
