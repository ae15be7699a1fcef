package stream_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

func TestItemsReceivedAreTheCallersForGood(t *testing.T) {
	a, b := memory.Pipe(nil)
	o := stream.ToObjects(b)
	defer closeAll(t, a, o)
	var items [][]byte
	for _, s := range []string{"one", "two"} {
		_, err := a.Send(t.Context(), []byte(s))
		require.NoError(t, err)
		item, err := o.Receive(t.Context())
		require.NoError(t, err)
		items = append(items, item)
	}
	assert.Equal(t, [][]byte{[]byte("one"), []byte("two")}, items)
	require.NoError(t, a.SendEOF(t.Context()))
	item, err := o.Receive(t.Context())
	assert.Nil(t, item)
	assert.Equal(t, io.EOF, err)
}

func TestItemsOfBytesHaveAtMost64KiB(t *testing.T) {
	a, b := memory.Pipe(&memory.Config{Buffer: 1 << 20})
	o := stream.ToObjects(b)
	defer closeAll(t, a, o)
	want := numbers(100 << 10)
	_, err := a.Send(t.Context(), want)
	require.NoError(t, err)
	require.NoError(t, a.SendEOF(t.Context()))
	var got []byte
	for item, err := range stream.Items(t.Context(), o) {
		require.NoError(t, err)
		assert.NotEmpty(t, item)
		assert.LessOrEqual(t, len(item), 64<<10)
		got = append(got, item...)
	}
	assert.Equal(t, want, got)
}

func TestItemsSentMayBeUsedAgain(t *testing.T) {
	a, b := memory.Pipe(nil)
	o := stream.ToObjects(a)
	defer closeAll(t, b, o)
	item := []byte("first")
	require.NoError(t, o.Send(t.Context(), item))
	copy(item, "XXXXX")
	require.NoError(t, o.Send(t.Context(), nil), "an empty item is no bytes")
	require.NoError(t, o.SendEOF(t.Context()))
	got, err := io.ReadAll(stream.NewReader(t.Context(), b))
	require.NoError(t, err)
	assert.Equal(t, "first", string(got))
}

func TestTheRestOfAnItemThatWasCutShortGoesFirst(t *testing.T) {
	for name, finish := range map[string]func(context.Context, *stream.ChunkSender) error{
		"Send":    func(ctx context.Context, s *stream.ChunkSender) error { return s.Send(ctx, []byte(", you")) },
		"Flush":   func(ctx context.Context, s *stream.ChunkSender) error { return s.Flush(ctx) },
		"SendEOF": func(ctx context.Context, s *stream.ChunkSender) error { return s.SendEOF(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := memory.Pipe(&memory.Config{Buffer: 3})
				s := stream.ToObjectSender(a)
				defer closeAll(t, b)
				ctx, cancel := context.WithCancelCause(t.Context())
				item := []byte("hello")
				done := make(chan error)
				go func() { done <- s.Send(ctx, item) }() // ends when canceled
				synctest.Wait()
				cancel(errCause)
				err := <-done
				require.ErrorIs(t, err, errCause)
				part, ok := errors.AsType[*stream.PartialSendError](err)
				require.True(t, ok)
				assert.Equal(t, 2, part.Left)
				require.EqualError(t, err, "2 bytes of the item are not yet sent: context canceled: the cause")
				copy(item, "XXXXX")

				require.ErrorIs(t, s.Flush(ctx), errCause)
				go func() { // ends once everything is sent
					assert.NoError(t, finish(t.Context(), s))
					assert.NoError(t, s.Close())
				}()
				got, err := io.ReadAll(stream.NewReader(t.Context(), b))
				require.NoError(t, err)
				assert.Equal(t, "hello", strings.TrimSuffix(string(got), ", you"))
			})
		})
	}
}

func TestSendOfAnItemThatTookNothingHasItsErrorUntouched(t *testing.T) {
	o := stream.ToObjectSender(&fake{sendErr: errOwn})
	assert.Equal(t, errOwn, o.Send(t.Context(), []byte("x")))
}

func TestItemsOfBytesAnswerAsTheContractSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done, cancel := context.WithCancelCause(t.Context())
		cancel(errCause)
		a, b := memory.Pipe(&memory.Config{Buffer: -1})
		defer closeAll(t, b)
		o := stream.ToObjects(a)
		_, err := o.Receive(done)
		require.ErrorIs(t, err, errCause)
		require.ErrorIs(t, o.Send(done, nil), errCause)

		ended := make(chan error, 2)
		go func() { // ends when o is closed
			_, err := o.Receive(t.Context())
			ended <- err
		}()
		go func() { ended <- o.Send(t.Context(), []byte("x")) }() // ends when o is closed
		synctest.Wait()
		_, err = o.Receive(t.Context())
		require.ErrorIs(t, err, stream.ErrBusy)
		require.ErrorIs(t, o.Send(t.Context(), []byte("x")), stream.ErrBusy)
		require.ErrorIs(t, o.SendEOF(t.Context()), stream.ErrBusy)
		require.NoError(t, o.Close())
		require.ErrorIs(t, <-ended, net.ErrClosed)
		require.ErrorIs(t, <-ended, net.ErrClosed)
		_, err = o.Receive(t.Context())
		require.ErrorIs(t, err, net.ErrClosed)
		require.ErrorIs(t, o.Send(t.Context(), nil), net.ErrClosed)
		require.ErrorIs(t, o.SendEOF(t.Context()), net.ErrClosed)
	})
}

func TestAbortThroughAdaptersReachesTheStream(t *testing.T) {
	for name, abort := range map[string]func(a *able) error{
		"receiver": func(a *able) error { return stream.Abort(stream.ToObjectReceiver(a), errCause) },
		"sender":   func(a *able) error { return stream.Abort(stream.ToObjectSender(a), errCause) },
		"flat receiver": func(a *able) error {
			return stream.Abort(stream.FromObjectReceiver(stream.ToObjectReceiver(a)), errCause)
		},
		"flat sender": func(a *able) error {
			return stream.Abort(stream.FromObjectSender(stream.ToObjectSender(a)), errCause)
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := &able{err: errOwn}
			assert.Equal(t, errOwn, abort(a))
			wantCalls(t, a.calls, "Abort: the cause")
		})
	}
}

func TestAdaptersPassAttributesThrough(t *testing.T) {
	a, b := memory.Pipe(nil)
	defer closeAll(t, a, b)
	inner, objects := a.Attributes(), stream.ToObjects(a)
	assert.Same(t, inner, objects.Attributes(), "both sides are one set")
	assert.Same(t, inner, stream.ToObjectReceiver(a).Attributes())
	assert.Same(t, inner, stream.FromObjectSender(objects).Attributes())
	_, err := stream.Unread.Get(stream.FromObjectReceiver(objects))
	require.NoError(t, err)
}
