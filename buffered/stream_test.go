package buffered_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

func TestDetachReturnsTheStreamAndWhatWasReadAhead(t *testing.T) {
	a, b := pipe(t, nil)
	s := buffered.New(a, nil)
	send(t, b, "STARTTLS\r\nleftover")
	_, err := s.ReceiveUntil(t.Context(), []byte("\r\n"), 0)
	require.NoError(t, err)

	inner, leftover, err := s.Detach()
	require.NoError(t, err)
	assert.Same(t, a, inner)
	assert.Equal(t, "leftover", string(leftover))

	send(t, b, "more")
	for name, err := range receivingCalls(t.Context(), s) {
		assert.Equal(t, net.ErrClosed, err, name)
	}
	for name, err := range sendingCalls(t.Context(), s) {
		assert.ErrorIs(t, err, net.ErrClosed, name)
	}
	require.NoError(t, s.Close())
	require.NoError(t, stream.Abort(s, nil))
	p := make([]byte, 8)
	n, err := inner.Receive(t.Context(), p)
	require.NoError(t, err, "the old handle must not reach the stream any more")
	assert.Equal(t, "more", string(p[:n]))
}

func TestDetachIsBusyDuringACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, &memory.Config{Buffer: -1})
		s := buffered.New(a, nil)
		var wantReceive, wantSend error = errors.New("unset"), errors.New("unset")
		go func() { _, wantSend = s.Send(t.Context(), []byte("x")) }() // ends when b receives
		synctest.Wait()
		_, _, err := s.Detach()
		require.Equal(t, stream.ErrBusy, err)
		_, err = b.Receive(t.Context(), make([]byte, 1))
		require.NoError(t, err)

		go func() { _, wantReceive = s.Receive(t.Context(), make([]byte, 1)) }() // ends when b sends
		synctest.Wait()
		_, _, err = s.Detach()
		require.Equal(t, stream.ErrBusy, err)
		send(t, b, "y")
		synctest.Wait()
		assert.NoError(t, wantReceive)
		assert.NoError(t, wantSend)
		_, _, err = s.Detach()
		assert.NoError(t, err)
	})
}

func TestDetachOfAReceiver(t *testing.T) {
	inner := &script{chunks: []string{"a\nb"}}
	r := buffered.NewReceiver(inner, nil)
	_, err := r.ReceiveUntil(t.Context(), []byte("\n"), 0)
	require.NoError(t, err)
	got, leftover, err := r.Detach()
	require.NoError(t, err)
	assert.Same(t, inner, got)
	assert.Equal(t, "b", string(leftover))
	require.NoError(t, r.Close())
	assert.Zero(t, inner.closes)
}

// sendingCalls makes each call of the sending direction.
func sendingCalls(ctx context.Context, s *buffered.Stream) map[string]error {
	errs := make(map[string]error)
	_, errs["Send"] = s.Send(ctx, []byte("x"))
	_, errs["SendBuffers"] = s.SendBuffers(ctx, [][]byte{{1}})
	_, errs["TrySend"] = s.TrySend([]byte("x"))
	errs["SendEOF"] = s.SendEOF(ctx)
	errs["Shutdown"] = s.Shutdown(ctx)
	return errs
}

func TestSendingCallsReachTheStream(t *testing.T) {
	a, b := pipe(t, nil)
	s, peer := buffered.New(a, nil), buffered.New(b, nil)
	send(t, s, "one ")
	n, err := s.SendBuffers(t.Context(), [][]byte{[]byte("two "), []byte("three ")})
	require.NoError(t, err)
	assert.EqualValues(t, 10, n)
	_, err = s.TrySend([]byte("four"))
	require.NoError(t, err)
	require.NoError(t, s.SendEOF(t.Context()))
	got, err := io.ReadAll(stream.NewReader(t.Context(), peer))
	require.NoError(t, err)
	assert.Equal(t, "one two three four", string(got))
	send(t, peer, "the other direction is open")
	require.NoError(t, peer.Shutdown(t.Context()))
	_, err = s.Peek(t.Context(), 9)
	require.NoError(t, err)
}

func TestAbortReachesTheStream(t *testing.T) {
	a, b := pipe(t, nil)
	cause := errors.New("no")
	require.NoError(t, stream.Abort(buffered.New(a, nil), cause))
	_, err := b.Receive(t.Context(), make([]byte, 1))
	assert.ErrorIs(t, err, stream.ErrBroken)
	assert.ErrorIs(t, err, cause)
}
func TestAConnectorMakesStreams(t *testing.T) {
	ln := memory.Listen(nil)
	defer ln.Close()
	c := buffered.NewConnector(ln, &buffered.Config{ReadAhead: -1})
	s, err := c.Connect(t.Context())
	require.NoError(t, err)
	defer s.Close()
	peer, err := ln.Accept(t.Context())
	require.NoError(t, err)
	defer peer.Close()
	send(t, peer, "a\nb")
	_, err = s.ReceiveUntil(t.Context(), []byte("\n"), 0)
	require.NoError(t, err)
	assert.Zero(t, s.Buffered(), "the configuration must reach the stream")

	require.NoError(t, ln.Close())
	_, err = c.Connect(t.Context())
	assert.Error(t, err)
}
