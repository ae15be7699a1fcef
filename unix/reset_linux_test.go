package unix_test

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/unix"
)

// Linux tells of the reset once, and of an end from then on.
func TestPeerThatClosesWithBytesUnreadBreaksTheStreamForGood(t *testing.T) {
	a, b := connected(t)
	_, err := a.Send(t.Context(), []byte("bye"))
	require.NoError(t, err)
	_, err = b.Send(t.Context(), []byte("never read"))
	require.NoError(t, err)
	require.NoError(t, a.Close())

	p := make([]byte, 64)
	n, err := b.Receive(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, "bye", string(p[:n]))
	_, broken := b.Receive(t.Context(), p)
	require.ErrorIs(t, broken, stream.ErrBroken)
	require.ErrorIs(t, broken, syscall.ECONNRESET)
	for range 3 {
		_, err = b.Receive(t.Context(), p)
		assert.Same(t, broken, err)
		_, err = b.Send(t.Context(), p)
		assert.Same(t, broken, err)
	}
}

func TestEmptyPacketIsAPacket(t *testing.T) {
	a, b := packetPair(t)
	for _, want := range []string{"", "x", ""} {
		require.NoError(t, a.Send(t.Context(), unix.Packet{Data: []byte(want)}))
		got, err := b.Receive(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, string(got.Data))
		assert.Equal(t, nameOf(a), got.Addr)
	}
}
