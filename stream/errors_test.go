package stream_test

import (
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

func TestErrBusyIsThatOfStructured(t *testing.T) {
	assert.Equal(t, structured.ErrBusy, stream.ErrBusy)
}

func TestBrokenErrorIsErrBrokenAndItsCause(t *testing.T) {
	err := stream.Broken(syscall.ECONNRESET)
	require.ErrorIs(t, err, stream.ErrBroken)
	require.ErrorIs(t, err, syscall.ECONNRESET)
	require.NotErrorIs(t, err, io.EOF)
	assert.EqualError(t, err, "stream broken: connection reset by peer")
}

func TestBrokenWithoutACause(t *testing.T) {
	err := stream.Broken(nil)
	require.ErrorIs(t, err, stream.ErrBroken)
	assert.EqualError(t, err, "stream broken")
}

func TestBrokenErrorStaysTheSameThroughLayers(t *testing.T) {
	below := stream.Broken(syscall.EPIPE)
	above := stream.Broken(fmt.Errorf("record layer: %w", below))
	assert.Same(t, below, above)
	assert.NotSame(t, below, stream.Broken(syscall.EPIPE), "another failure is another error")
}
