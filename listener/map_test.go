package listener_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

func TestMapConvertsWhatIsAccepted(t *testing.T) {
	below := memory.Listen(nil)
	ln := listener.Map(below, func(c *memory.Conn) *buffered.Stream { return buffered.New(c, nil) })
	c := client(t, below, "x")
	s, err := ln.Accept(t.Context())
	require.NoError(t, err)
	p, err := s.Peek(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, "x", string(p))
	require.NoError(t, s.Close())
	require.NoError(t, c.Close())

	assert.Same(t, below.Attributes(), ln.Attributes())
	require.NoError(t, ln.Close())
	_, err = ln.Accept(t.Context())
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestOfMakesAListenerOfAnyByteStream(t *testing.T) {
	below := memory.Listen(nil)
	var ln stream.Listener[stream.ByteStream] = listener.Of(below)
	client(t, below, "x")
	s, err := ln.Accept(t.Context())
	require.NoError(t, err)
	assert.IsType(t, (*memory.Conn)(nil), s)
	require.NoError(t, s.Close())
	require.NoError(t, ln.Close())
}

func TestNilIsRefusedByName(t *testing.T) {
	identity := func(c *memory.Conn) *memory.Conn { return c }
	assert.PanicsWithValue(t, "listener: Map: nil listener", func() { listener.Map(nil, identity) })
	assert.PanicsWithValue(t, "listener: Map: nil convert", func() {
		listener.Map[*memory.Conn, *memory.Conn](memory.Listen(nil), nil)
	})
	assert.PanicsWithValue(t, "listener: Of: nil listener", func() { listener.Of[*memory.Conn](nil) })
	assert.PanicsWithValue(t, "listener: Prepare: nil listener", func() { listener.Prepare(nil, hello, nil) })
	assert.PanicsWithValue(t, "listener: Prepare: nil prepare", func() {
		listener.Prepare[*memory.Conn, *memory.Conn](memory.Listen(nil), nil, nil)
	})
}
