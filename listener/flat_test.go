package listener_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

// A nest is a listener that accepts listeners, as one of connections that
// carry many streams does.
type nest struct {
	inner chan *memory.Listener
	done  context.Context
	end   context.CancelFunc
}

func newNest(inner ...*memory.Listener) *nest {
	n := &nest{inner: make(chan *memory.Listener, len(inner))}
	n.done, n.end = context.WithCancel(context.Background())
	for _, ln := range inner {
		n.inner <- ln
	}
	return n
}

func (n *nest) Accept(ctx context.Context) (*memory.Listener, error) {
	select {
	case ln := <-n.inner:
		return ln, nil
	case <-n.done.Done():
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, stream.ContextError(ctx)
	}
}

func (n *nest) Attributes() *attr.Set { return nil }

func (n *nest) Close() error {
	n.end()
	for {
		select {
		case ln := <-n.inner:
			ln.Close() // that nobody accepted
		default:
			return nil
		}
	}
}

func TestFlattenedHoldsTheContract(t *testing.T) {
	streamtest.TestListener(t, over(func(ln *memory.Listener) stream.Listener[*memory.Conn] {
		return listener.Flat(newNest(ln), nil)
	}))
}

func TestFlatAcceptsFromAllInnerListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := memory.Listen(nil), memory.Listen(nil)
		ln := listener.Flat(newNest(one, two), nil)
		defer ln.Close()
		for range 20 {
			client(t, one, "one")
		}
		client(t, two, "two")
		for range 3 { // the first is any, and then they take turns
			s, err := ln.Accept(t.Context())
			require.NoError(t, err)
			p := make([]byte, 3)
			_, err = s.Receive(t.Context(), p)
			require.NoError(t, err)
			s.Close()
			if string(p) == "two" {
				return
			}
			synctest.Wait()
		}
		t.Error("one of the listeners holds up the other")
	})
}

func TestAnInnerListenerThatFailsIsClosedAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := memory.Listen(nil), memory.Listen(nil)
		failed := make(chan error, 1)
		ln := listener.Flat(newNest(one, two), &listener.FlatConfig[*memory.Listener]{
			OnError: func(inner *memory.Listener, err error) {
				assert.Same(t, one, inner)
				failed <- err
			},
		})
		defer ln.Close()
		go func() { assert.NoError(t, one.Close()) }()
		client(t, two, "still here")
		s, err := ln.Accept(t.Context())
		require.NoError(t, err)
		s.Close()
		require.ErrorIs(t, <-failed, net.ErrClosed)
	})
}

func TestCloseOfAFlattenedClosesTheInnerListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := memory.Listen(nil)
		ln := listener.Flat(newNest(inner), &listener.FlatConfig[*memory.Listener]{
			OnError: func(_ *memory.Listener, err error) { t.Errorf("OnError was told %v", err) },
		})
		c := client(t, inner, "")
		s, err := ln.Accept(t.Context())
		require.NoError(t, err)
		require.NoError(t, ln.Close())
		_, err = inner.Connect(t.Context())
		require.Error(t, err)
		_, err = c.Send(t.Context(), []byte("x"))
		require.NoError(t, err, "what was accepted lives on")
		s.Close()
	})
}

func TestFlatPanicsWithoutAListener(t *testing.T) {
	assert.PanicsWithValue(t, "listener: Flat: nil listener", func() {
		listener.Flat[*memory.Listener](nil, nil)
	})
}
