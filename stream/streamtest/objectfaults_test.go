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
	"github.com/strata-go/strata/structured"
)

// items is an end of a pipe of items with faults, over one of package memory
// without. It is exclusive, as streams over bytes are, unless shared.
type items struct {
	stream.ObjectStream[int]
	faults             []fault
	shared             bool
	receiving, sending structured.Guard
	killed             chan struct{}

	mu     sync.Mutex
	closed bool
	closes int
	eofs   int
	ends   int
	drop   bool
}

func (s *items) has(f fault) bool { return slices.Contains(s.faults, f) }

// itemPipe returns the ends of a pipe, and what ends all calls.
func itemPipe(shared bool, faults ...fault) (a, b *items, kill func()) {
	c, d := memory.ObjectPipe[int](2)
	killed := make(chan struct{})
	a = &items{ObjectStream: c, faults: faults, shared: shared, killed: killed}
	b = &items{ObjectStream: d, faults: faults, shared: shared, killed: killed}
	return a, b, func() { close(killed); c.Close(); d.Close() }
}

func exclusivePipe() func(context.Context) (a, b stream.ObjectStream[int], err error) {
	return func(context.Context) (stream.ObjectStream[int], stream.ObjectStream[int], error) {
		a, b, _ := itemPipe(false)
		return a, b, nil
	}
}

func (s *items) Attributes() *attr.Set {
	if s.has("makes a set each time") {
		return new(attr.Set)
	}
	return s.ObjectStream.Attributes()
}

// enter is who may go first.
func (s *items) enter(ctx context.Context, g *structured.Guard) (leave func(), err error) {
	none := func() {}
	if err := stream.ContextError(ctx); err != nil && !s.has("does not look at the context first") {
		if s.has("forgets the cause") {
			err = ctx.Err()
		}
		return none, err
	}
	if s.shared && !s.has("one at a time") || s.has("lets everybody in") || s.isClosed() {
		return none, nil
	}
	if s.has("one direction at a time") {
		g = &s.receiving
	}
	return g.Leave, g.Enter()
}

func (s *items) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *items) Receive(ctx context.Context) (int, error) {
	leave, err := s.enter(ctx, &s.receiving)
	if err != nil {
		return 0, err
	}
	defer leave()
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	if s.has("waits whatever the context") {
		ctx = context.WithoutCancel(ctx)
	}
	item, err := s.ObjectStream.Receive(ctx)
	return s.spoil(ctx, item, err)
}

// spoil is what the faults do to what Receive returns.
func (s *items) spoil(ctx context.Context, item int, err error) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil && s.has("skips an item") && item%20 == 19,
		err == nil && s.drop:
		s.drop = false
		s.mu.Unlock()
		item, err = s.ObjectStream.Receive(ctx)
		s.mu.Lock()
	case err == nil && s.has("swaps the items") && item%4 == 2:
		item++
	case err == nil && s.has("swaps the items") && item%4 == 3:
		item--
	case errors.Is(err, context.Canceled) && s.has("drops an item on cancel"):
		s.drop = true
	case err == io.EOF:
		s.ends++
		if s.ends > 1 && s.has("end only once") {
			return 0, net.ErrClosed
		}
		if s.has("the end is an item") {
			return 0, nil
		}
	case errors.Is(err, net.ErrClosed) && s.has("the end after Close"):
		return 0, io.EOF
	case errors.Is(err, net.ErrClosed) && s.has("Close does not wake Receive"):
		s.hang()
	}
	return item, err
}

// hang does not return before the end of the test.
func (s *items) hang() {
	s.mu.Unlock()
	<-s.killed
	s.mu.Lock()
}

func (s *items) Send(ctx context.Context, item int) error {
	leave, err := s.enter(ctx, &s.sending)
	if err != nil {
		return err
	}
	defer leave()
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	if s.has("Send after SendEOF") && s.ended() {
		return nil
	}
	err = s.ObjectStream.Send(ctx, item)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case errors.Is(err, context.Canceled) && s.has("says sent when canceled"):
		return nil
	case errors.Is(err, net.ErrClosed) && s.has("Close does not wake Send"):
		s.hang()
	case errors.Is(err, stream.ErrBroken) && s.has("broken wakes nobody"):
		s.hang()
	case errors.Is(err, stream.ErrBroken) && s.has("not broken for long"):
		s.eofs++
		if s.eofs > 1 {
			return nil
		}
	}
	return err
}

func (s *items) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.eofs > 0
}

func (s *items) SendEOF(ctx context.Context) error {
	if s.has(noHalfClose) {
		return errors.ErrUnsupported
	}
	leave, err := s.enter(ctx, &s.sending)
	if err != nil {
		if s.has("a canceled SendEOF counts") {
			s.ObjectStream.SendEOF(context.WithoutCancel(ctx))
		}
		return err
	}
	defer leave()
	s.mu.Lock()
	s.eofs++
	s.mu.Unlock()
	if s.has("SendEOF closes") {
		return s.ObjectStream.Close()
	}
	if s.has("the end wakes nobody") {
		return nil
	}
	return s.ObjectStream.SendEOF(context.WithoutCancel(ctx))
}

func (s *items) Close() error {
	s.mu.Lock()
	s.closed = true
	s.closes++
	again := s.closes > 1
	s.mu.Unlock()
	if s.has("the end wakes nobody") {
		return nil
	}
	err := s.ObjectStream.Close()
	if again && s.has("a second Close is an error") {
		return net.ErrClosed
	}
	return err
}

var objectFaults = []struct {
	fault  fault
	shared bool
	checks []string
}{
	{"skips an item", false, []string{"Items arrive once and in order", "A storm of cancels loses no item", "Both ways at once"}},
	{"swaps the items", false, []string{"Items arrive once and in order"}},
	{"end only once", false, []string{"Items come before the end, which stays"}},
	{"the end is an item", false, []string{"Items come before the end, which stays", "A Receive that waits meets the end"}},
	{"the end wakes nobody", false, []string{"A Receive that waits meets the end"}},
	{"does not look at the context first", true, []string{"A done context comes first"}},
	{"forgets the cause", false, []string{"A done context comes first"}},
	{"waits whatever the context", false, []string{"A deadline ends Receive", "A canceled Receive took nothing"}},
	{"drops an item on cancel", false, []string{"A canceled Receive took nothing", "A storm of cancels loses no item"}},
	{"drops an item on cancel", true, []string{"A storm of cancels loses no item"}},
	{"says sent when canceled", false, []string{"A canceled Send tells whether it sent"}},
	{"lets everybody in", false, []string{"Several callers", "Several senders", "A Receive that waits meets the item"}},
	{"one at a time", true, []string{"Several callers", "Several senders"}},
	{"Close does not wake Receive", false, []string{"Close wakes Receive"}},
	{"Close does not wake Send", false, []string{"Close wakes Send"}},
	{"a second Close is an error", false, []string{"Close may be repeated and called by many"}},
	{"the end after Close", false, []string{"Everything is net.ErrClosed after Close"}},
	{"not broken for long", false, []string{"A receiver that closed breaks Send"}},
	{"broken wakes nobody", false, []string{"A receiver that closes wakes Send"}},
	{"makes a set each time", false, []string{"Attributes answer, also after Close"}},
	{"SendEOF closes", false, []string{"SendEOF ends one direction only"}},
	{"one direction at a time", false, []string{"A Receive that waits does not hinder Send"}},
	{noHalfClose, false, []string{"SendEOF ends one direction only"}},
	{"Send after SendEOF", false, []string{"Send after SendEOF is net.ErrClosed"}},
	{"a canceled SendEOF counts", false, []string{"A canceled SendEOF has no effect"}},
}

func TestEveryObjectStreamFaultIsFound(t *testing.T) {
	checks := byName(streamtest.ObjectStreamChecks[int]())
	found := make(map[string]bool)
	for _, row := range objectFaults {
		for _, name := range row.checks {
			found[name] = true
			t.Run(string(row.fault)+"/"+name, func(t *testing.T) {
				require.Contains(t, checks, name)
				assert.Error(t, tryItemFault(t, checks[name], row.shared, row.fault))
			})
		}
	}
	for name := range checks {
		assert.True(t, found[name], "no fault is to be found by %q", name)
	}
}

// The suite of one direction runs the same checks on another maker.
func TestEveryFaultOfItemsIsFoundInOneDirection(t *testing.T) {
	checks := byName(streamtest.ObjectOneWayChecks[int]())
	found := make(map[string]bool)
	for _, row := range objectFaults {
		for _, name := range row.checks {
			c, ok := checks[name]
			if !ok {
				continue
			}
			t.Run(string(row.fault)+"/"+name, func(t *testing.T) {
				assert.Error(t, tryOneWayItemFault(t, c, row.shared, row.fault))
				found[name] = true
			})
		}
	}
	for name := range checks {
		assert.True(t, found[name], "no fault is to be found by %q", name)
	}
}

func tryItemFault(t *testing.T, c streamtest.CheckOf[*streamtest.ObjectMaker[int]], shared bool, f fault) error {
	return amongItems(t, shared, f, func(t *testing.T, pipe func() (a, b *items)) error {
		m := &streamtest.ObjectMaker[int]{Items: numbers(shared, true)}
		m.Pipe = func(context.Context) (stream.ObjectStream[int], stream.ObjectStream[int], error) {
			a, b := pipe()
			return a, b, nil
		}
		return runCheck(t, c, m)
	})
}

func tryOneWayItemFault(t *testing.T, c streamtest.CheckOf[*streamtest.ObjectOneWayMaker[int]], shared bool, f fault) error {
	return amongItems(t, shared, f, func(t *testing.T, pipe func() (a, b *items)) error {
		m := &streamtest.ObjectOneWayMaker[int]{Items: numbers(shared, true)}
		m.Pipe = func(context.Context) (stream.ObjectSender[int], stream.ObjectReceiver[int], error) {
			a, b := pipe()
			return a, b, nil
		}
		return runCheck(t, c, m)
	})
}

// amongItems runs a check in a bubble, and then ends what it made.
func amongItems(t *testing.T, shared bool, f fault, run func(t *testing.T, pipe func() (a, b *items)) error) (err error) {
	synctest.Test(t, func(t *testing.T) {
		var kills []func()
		err = run(t, func() (a, b *items) {
			a, b, kill := itemPipe(shared, f)
			kills = append(kills, kill)
			return a, b
		})
		for _, kill := range kills {
			kill()
		}
	})
	return err
}

func TestObjectStreamsWithoutHalfCloseHoldTheContract(t *testing.T) {
	streamtest.TestObjectStream(t, &streamtest.ObjectMaker[int]{
		Items:       numbers(false, true),
		NoHalfClose: true,
		Pipe: func(context.Context) (stream.ObjectStream[int], stream.ObjectStream[int], error) {
			a, b, _ := itemPipe(false, noHalfClose)
			return a, b, nil
		},
	})
}
