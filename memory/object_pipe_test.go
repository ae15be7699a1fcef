package memory_test

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

func TestObjectPipeCarriesBothWaysAndHalfCloses(t *testing.T) {
	a, b := memory.ObjectPipe[string](1)
	require.NoError(t, a.Send(t.Context(), "question"))
	require.NoError(t, a.SendEOF(t.Context()))
	item, err := b.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "question", item)
	_, err = b.Receive(t.Context())
	assert.Equal(t, io.EOF, err)

	require.NoError(t, b.Send(t.Context(), "answer"))
	item, err = a.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "answer", item)

	require.NoError(t, a.Close())
	assert.ErrorIs(t, b.Send(t.Context(), "more"), stream.ErrBroken)
	assert.ErrorIs(t, a.Send(t.Context(), "more"), net.ErrClosed)
}

func TestObjectPipePanicsOnANegativeSize(t *testing.T) {
	assert.PanicsWithValue(t, "memory: ObjectPipe: negative size", func() { memory.ObjectPipe[int](-1) })
}
