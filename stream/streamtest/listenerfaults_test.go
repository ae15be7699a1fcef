package streamtest_test

import (
	"context"
	"errors"
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

// door is a listener and connector with faults, over one of package memory.
type door struct {
	*memory.Listener
	faults []fault
	killed chan struct{}

	mu       sync.Mutex
	accepted []*memory.Conn
	closed   bool
	inside   bool
	drop     bool
	calls    int
}

func newDoor(faults ...fault) (d *door, kill func()) {
	d = &door{Listener: memory.Listen(nil), faults: faults, killed: make(chan struct{})}
	return d, func() { close(d.killed); d.Listener.Close() }
}

func (d *door) has(f fault) bool { return slices.Contains(d.faults, f) }

func (d *door) Attributes() *attr.Set {
	if d.has("makes a set each time") {
		return new(attr.Set)
	}
	return d.Listener.Attributes()
}

func (d *door) Accept(ctx context.Context) (*memory.Conn, error) {
	if d.has("turns others away") {
		if !d.in() {
			return nil, stream.ErrBusy
		}
		defer d.out()
	}
	below := ctx
	if d.has("does not look at the context first") && ctx.Err() != nil {
		below = context.WithoutCancel(ctx)
	}
	s, err := d.Listener.Accept(below)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	switch {
	case err == nil:
		d.accepted = append(d.accepted, s)
		return d.hand(ctx, s)
	case d.has("drops a stream on cancel") && ctx.Err() != nil:
		d.drop = true
	case d.has("Close does not wake Accept") && errors.Is(err, net.ErrClosed):
		d.mu.Unlock()
		<-d.killed
		d.mu.Lock()
	case d.has("a canceled Accept closes") && ctx.Err() != nil:
		d.Listener.Close()
	case d.has("no listener after Close") && errors.Is(err, net.ErrClosed):
		return nil, errTest
	}
	return s, err
}

// hand gives an accepted stream to the caller, or does not.
func (d *door) hand(ctx context.Context, s *memory.Conn) (*memory.Conn, error) {
	switch {
	case d.drop:
		d.drop = false
		s.Close()
		d.mu.Unlock()
		defer d.mu.Lock()
		return d.Listener.Accept(ctx)
	case d.has("the context of Accept closes the stream"):
		context.AfterFunc(ctx, func() { s.Close() })
	case d.has("accepts what does not work"):
		s.Close()
	case d.has("a dead peer ends Accept"):
		if s.WaitReceive(ctx) == nil {
			if _, err := s.TrySend(nil); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func (d *door) in() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	free := !d.inside
	d.inside = true
	return free
}

func (d *door) out() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inside = false
}

func (d *door) Connect(ctx context.Context) (*memory.Conn, error) {
	below := ctx
	if d.has("connects with a done context") || d.has("connects after Close") {
		below = context.WithoutCancel(ctx)
	}
	if d.has("one connects at a time") {
		if !d.in() {
			return nil, stream.ErrBusy
		}
		defer d.out()
		synctest.Wait()
	}
	s, err := d.Listener.Connect(below)
	switch {
	case err != nil && d.has("connects after Close"):
		s, _ = memory.Pipe(nil)
		return s, nil
	case err == nil && d.has("the context of Connect closes the stream"):
		context.AfterFunc(ctx, func() { s.Close() })
	case err == nil && d.has("connects what does not work"):
		s.Close()
	case err == nil && d.has("a canceled Connect returns a closed stream") && ctx.Err() != nil:
		s.Close()
	}
	return s, err
}

func (d *door) Close() error {
	d.mu.Lock()
	again := d.closed
	d.closed = true
	accepted := d.accepted
	d.mu.Unlock()
	err := d.Listener.Close()
	if again && d.has("a second Close is an error") {
		return net.ErrClosed
	}
	if d.has("Close closes what was accepted") {
		for _, s := range accepted {
			s.Close()
		}
	}
	return err
}

var listenerFaults = []struct {
	fault  fault
	checks []string
}{
	{"accepts what does not work", []string{"Accepted streams work"}},
	{"does not look at the context first", []string{"A done context comes first"}},
	{"a canceled Accept closes", []string{"A canceled Accept took no stream"}},
	{"drops a stream on cancel", []string{"A canceled Accept took no stream", "A storm of cancels loses no stream"}},
	{"the context of Accept closes the stream", []string{"The context of Accept covers only Accept"}},
	{"turns others away", []string{"Several may accept"}},
	{"Close does not wake Accept", []string{"Close wakes every Accept"}},
	{"a second Close is an error", []string{"Close may be repeated and called by many"}},
	{"no listener after Close", []string{"Accept after Close is net.ErrClosed"}},
	{"Close closes what was accepted", []string{"Accepted streams outlive the listener"}},
	{"connects after Close", []string{"Nobody connects after Close"}},
	{"keeps its place", []string{"The place is free after Close"}},
	{"a dead peer ends Accept", []string{"A peer that leaves at once does no harm"}},
	{"makes a set each time", []string{"Attributes answer, also after Close"}},
}

var connectorFaults = []struct {
	fault  fault
	checks []string
}{
	{"connects what does not work", []string{"Connected streams work"}},
	{"connects with a done context", []string{"A done context comes first"}},
	{"the context of Connect closes the stream", []string{"The context of Connect covers only Connect", "A storm of cancels leaves working streams"}},
	{"one connects at a time", []string{"Several may connect"}},
}

func TestEveryListenerFaultIsFound(t *testing.T) {
	checks := byName(streamtest.ListenerChecks[*memory.Conn]())
	found := make(map[string]bool)
	for _, row := range listenerFaults {
		for _, name := range row.checks {
			found[name] = true
			t.Run(string(row.fault)+"/"+name, func(t *testing.T) {
				require.Contains(t, checks, name)
				assert.Error(t, tryDoor(t, row.fault, func(t *testing.T, d *door) error {
					return runCheck(t, checks[name], d.listenerMaker())
				}))
			})
		}
	}
	for name := range checks {
		assert.True(t, found[name], "no fault is to be found by %q", name)
	}
}

func TestEveryConnectorFaultIsFound(t *testing.T) {
	checks := byName(streamtest.ConnectorChecks[*memory.Conn]())
	found := make(map[string]bool)
	for _, row := range connectorFaults {
		for _, name := range row.checks {
			found[name] = true
			t.Run(string(row.fault)+"/"+name, func(t *testing.T) {
				require.Contains(t, checks, name)
				assert.Error(t, tryDoor(t, row.fault, func(t *testing.T, d *door) error {
					return runCheck(t, checks[name], d.connectorMaker())
				}))
			})
		}
	}
	for name := range checks {
		assert.True(t, found[name], "no fault is to be found by %q", name)
	}
}

func TestListenersThatHaveAPlaceHoldTheContract(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, kill := newDoor()
		defer kill()
		for _, c := range streamtest.ListenerChecks[*memory.Conn]() {
			d.Listener, d.closed = memory.Listen(nil), false
			assert.NoError(t, runCheck(t, c, d.listenerMaker()), c.Name)
		}
	})
}

func tryDoor(t *testing.T, f fault, try func(*testing.T, *door) error) (err error) {
	synctest.Test(t, func(t *testing.T) {
		d, kill := newDoor(f)
		err = try(t, d)
		kill()
	})
	return err
}

func (d *door) listenerMaker() *streamtest.ListenerMaker[*memory.Conn] {
	return &streamtest.ListenerMaker[*memory.Conn]{
		Bubble: true,
		Listen: func(context.Context) (stream.Listener[*memory.Conn], func(context.Context) (stream.ByteStream, error), error) {
			return d, func(ctx context.Context) (stream.ByteStream, error) { return d.Connect(ctx) }, nil
		},
		Relisten: func(_ context.Context, ln stream.Listener[*memory.Conn]) (stream.Listener[*memory.Conn], error) {
			if d.has("keeps its place") {
				return nil, errTest
			}
			d.Listener = memory.Listen(nil)
			return d, nil
		},
	}
}

func (d *door) connectorMaker() *streamtest.ConnectorMaker[*memory.Conn] {
	return &streamtest.ConnectorMaker[*memory.Conn]{
		Bubble: true,
		Connector: func(context.Context) (stream.Connector[*memory.Conn], func(context.Context) (stream.ByteStream, error), func() error, error) {
			return d, func(ctx context.Context) (stream.ByteStream, error) { return d.Accept(ctx) }, d.Close, nil
		},
	}
}
