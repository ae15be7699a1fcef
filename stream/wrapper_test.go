package stream_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

// shouting is a wrapper that overrides Send.
type shouting struct{ stream.Wrapper }

func TestWrapperForwardsShutdownAbortAndWaitReceive(t *testing.T) {
	a := &able{err: errOwn}
	w := shouting{stream.Wrapper{ByteStream: a}}
	require.ErrorIs(t, stream.Shutdown(t.Context(), w), errOwn)
	assert.Equal(t, errOwn, stream.Abort(w, errCause))
	assert.Equal(t, errOwn, stream.WaitReceive(t.Context(), w))
	wantCalls(t, a.calls, "Shutdown", "Close", "Abort: the cause", "WaitReceive")
}

func TestWrapperHidesWhatWouldGoPastAnOverriddenSend(t *testing.T) {
	a := new(able)
	w := shouting{stream.Wrapper{ByteStream: a}}
	_, err := stream.TrySend(w, []byte("x"))
	require.ErrorIs(t, err, errors.ErrUnsupported)
	n, err := stream.SendBuffers(t.Context(), w, [][]byte{[]byte("x")})
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
	wantCalls(t, a.calls, "Send")
}

func TestWrapperOfAStreamWithoutCapabilitiesHasNone(t *testing.T) {
	f := new(fake)
	w := shouting{stream.Wrapper{ByteStream: f}}
	require.ErrorIs(t, stream.WaitReceive(t.Context(), w), errors.ErrUnsupported)
	require.NoError(t, stream.Shutdown(t.Context(), w))
	require.NoError(t, stream.Abort(w, nil))
	wantCalls(t, f.calls, "SendEOF", "Receive", "Close", "Close")
}

func TestWrapperPassesAttributesThrough(t *testing.T) {
	c, d := memory.Pipe(nil)
	defer d.Close()
	defer c.Close()
	key := attr.New[int]("test.key")
	f := &fake{facts: attr.Define(attr.Value(key, func(int) int { return 7 })).For(0, c)}
	w := shouting{stream.Wrapper{ByteStream: f}}
	assert.Same(t, f.facts, w.Attributes())
}
