package stream_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

func TestStapledObjectsReceiveFromOneAndSendToTheOther(t *testing.T) {
	r, s := &objects{items: []string{"in"}}, new(objects)
	st := stream.StapleObjects[string](r, s)
	item, err := st.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "in", item)
	_, err = st.Receive(t.Context())
	assert.Equal(t, io.EOF, err)
	require.NoError(t, st.Send(t.Context(), "out"))
	assert.Equal(t, []string{"out"}, s.sent)
	s.sendErr = errOwn
	assert.Equal(t, errOwn, st.Send(t.Context(), "lost"))
}

func TestTrySendOfStapledObjectsIsTheSenders(t *testing.T) {
	for _, want := range []error{nil, stream.ErrWouldBlock, errOwn} {
		s := &ableObjects{err: want}
		assert.Equal(t, want, stream.StapleObjects[string](new(objects), s).TrySend("x"))
		wantCalls(t, s.calls, "TrySend")
	}
}

func TestTrySendWithoutOneIsUnsupportedAndNamesTheType(t *testing.T) {
	s := new(objects)
	err := stream.StapleObjects[string](new(objects), s).TrySend("x")
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "*stream_test.objects")
	assert.Empty(t, s.calls)
}

func TestSendEOFOfStapledObjectsIsTheSendersElseItsClose(t *testing.T) {
	able := &ableObjects{err: errors.ErrUnsupported}
	err := stream.StapleObjects[string](new(objects), able).SendEOF(t.Context())
	assert.Equal(t, errors.ErrUnsupported, err)
	wantCalls(t, able.calls, "SendEOF")

	plain := new(objects)
	st := stream.StapleObjects[string](new(objects), plain)
	require.NoError(t, st.SendEOF(t.Context()))
	require.NoError(t, st.SendEOF(t.Context()), "it is idempotent")
	wantCalls(t, plain.calls, "Close", "Close")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errCause)
	require.ErrorIs(t, st.SendEOF(ctx), errCause)
	require.ErrorIs(t, st.Send(ctx, "x"), errCause)
}

func TestSendEOFOfStapledObjectsIsBusyDuringSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, far := memory.New[string](0)
		empty, r := memory.New[string](0)
		st := stream.StapleObjects(r, s)
		defer closeAll(t, st, far, empty)
		done := make(chan error)
		for range 2 { // memory serves many senders, and so does what is stapled of it
			go func() { // ends when far receives
				done <- st.Send(t.Context(), "x")
			}()
		}
		synctest.Wait()
		require.ErrorIs(t, st.SendEOF(t.Context()), stream.ErrBusy)
		assert.Equal(t, stream.ErrWouldBlock, st.TrySend("x"))
		for range 2 {
			item, err := far.Receive(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "x", item)
			require.NoError(t, <-done)
		}
		require.NoError(t, st.SendEOF(t.Context()), "the direction is free again")
		_, err := far.Receive(t.Context())
		assert.Equal(t, io.EOF, err)
		require.ErrorIs(t, st.Send(t.Context(), "x"), net.ErrClosed)
	})
}

func TestSendDuringSendEOFOfStapledObjectsIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowEOF{release: make(chan struct{})}
		st := stream.StapleObjects[string](new(objects), slow)
		done := make(chan error)
		go func() { done <- st.SendEOF(t.Context()) }() // ends when released
		synctest.Wait()
		require.ErrorIs(t, st.Send(t.Context(), "x"), stream.ErrBusy)
		require.ErrorIs(t, st.SendEOF(t.Context()), stream.ErrBusy)
		close(slow.release)
		require.NoError(t, <-done)
	})
}

type slowEOF struct {
	objects
	release chan struct{}
}

func (s *slowEOF) SendEOF(context.Context) error {
	<-s.release
	return nil
}

func TestCloseOfStapledObjectsClosesBothAndJoinsErrors(t *testing.T) {
	r, s := &objects{closeErr: errOwn}, &ableObjects{objects: objects{closeErr: errClose}}
	st := stream.StapleObjects[string](r, s)
	err := st.Close()
	require.ErrorIs(t, err, errOwn)
	require.ErrorIs(t, err, errClose)
	wantCalls(t, r.calls, "Close")
	wantCalls(t, s.calls, "Close")
	require.ErrorIs(t, st.Send(t.Context(), "x"), net.ErrClosed)
	require.ErrorIs(t, st.TrySend("x"), net.ErrClosed)
	require.ErrorIs(t, st.SendEOF(t.Context()), net.ErrClosed)
	wantCalls(t, s.calls, "Close")
}

func TestAbortOfStapledObjectsAbortsBoth(t *testing.T) {
	r, s := new(objects), &ableObjects{err: errOwn}
	require.ErrorIs(t, stream.Abort(stream.StapleObjects[string](r, s), errCause), errOwn)
	wantCalls(t, r.calls, "Close")
	wantCalls(t, s.calls, "Abort: the cause")
}
