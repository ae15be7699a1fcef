package stream_test

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

// flat returns a byte stream over items, and the far end of the items.
func flat(size int) (*stream.Stapled, *stream.StapledObjects[[]byte]) {
	near, far := memory.ObjectPipe[[]byte](size)
	return stream.FromObjects(near), far
}

func TestItemLargerThanTheBufferComesInPieces(t *testing.T) {
	s, far := flat(4)
	defer closeAll(t, s, far)
	require.NoError(t, far.Send(t.Context(), []byte("hello")))
	require.NoError(t, far.Send(t.Context(), []byte("!")))
	var got []string
	for _, unread := range []int{3, 1, 0, 0} {
		p := make([]byte, 2)
		n, err := s.Receive(t.Context(), p)
		require.NoError(t, err)
		got = append(got, string(p[:n]))
		left, err := stream.Unread.Get(s)
		require.NoError(t, err)
		assert.Equal(t, unread, left)
	}
	assert.Equal(t, []string{"he", "ll", "o", "!"}, got)
}

func TestEmptyItemsAreSkipped(t *testing.T) {
	s, far := flat(4)
	defer closeAll(t, s, far)
	for _, item := range []string{"", "a", ""} {
		require.NoError(t, far.Send(t.Context(), []byte(item)))
	}
	require.NoError(t, far.Send(t.Context(), nil))
	require.NoError(t, far.SendEOF(t.Context()))
	p := make([]byte, 8)
	n, err := s.Receive(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, "a", string(p[:n]))
	n, err = s.Receive(t.Context(), p)
	assert.Zero(t, n)
	assert.Equal(t, io.EOF, err)
}

func TestWaitReceiveOverItemsPassesEmptyOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, far := flat(4)
		defer closeAll(t, s, far)
		done := make(chan error)
		go func() { done <- stream.WaitReceive(t.Context(), s) }() // ends when an item came
		require.NoError(t, far.Send(t.Context(), nil))
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("an empty item is nothing to receive")
		default:
		}
		require.NoError(t, far.Send(t.Context(), []byte("a")))
		require.NoError(t, <-done)
		unread, err := stream.Unread.Get(s)
		require.NoError(t, err)
		assert.Equal(t, 1, unread)
		n, err := s.Receive(t.Context(), make([]byte, 8))
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		require.NoError(t, far.SendEOF(t.Context()))
		require.NoError(t, stream.WaitReceive(t.Context(), s), "Receive does not block at the end")
	})
}

func TestUnreadIsErrClosedAfterClose(t *testing.T) {
	s, far := flat(4)
	defer closeAll(t, far)
	require.NoError(t, far.Send(t.Context(), []byte("hello")))
	_, err := s.Receive(t.Context(), make([]byte, 1))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = stream.Unread.Get(s)
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = s.Receive(t.Context(), make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed, "also with bytes left")
}

func TestItemsSentBelongToTheReceiver(t *testing.T) {
	s, far := flat(4)
	defer closeAll(t, s, far)
	p := []byte("first")
	n, err := s.Send(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, 5, n)
	copy(p, "XXXXX")
	item, err := far.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "first", string(item))
}

func TestSendOfNothingSendsNoItem(t *testing.T) {
	s, far := flat(4)
	defer closeAll(t, s, far)
	n, err := s.Send(t.Context(), nil)
	require.NoError(t, err)
	assert.Zero(t, n)
	require.NoError(t, s.SendEOF(t.Context()))
	_, err = far.Receive(t.Context())
	assert.Equal(t, io.EOF, err)
	_, err = s.Send(t.Context(), nil)
	require.ErrorIs(t, err, net.ErrClosed, "after SendEOF")
	require.NoError(t, s.SendEOF(t.Context()), "it is idempotent")
}

func TestLargeSendGoesInItemsOf64KiB(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, far := flat(2)
		defer closeAll(t, s, far)
		want := numbers(200 << 10)
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan int)
		go func() { // ends when canceled, with 2 items in the stream
			n, err := s.Send(ctx, want)
			assert.ErrorIs(t, err, errCause)
			done <- n
		}()
		synctest.Wait()
		cancel(errCause)
		n := <-done
		assert.Equal(t, 128<<10, n)

		go func() { // ends when the rest is in the stream
			rest, err := s.Send(t.Context(), want[n:])
			assert.NoError(t, err)
			assert.NoError(t, s.SendEOF(t.Context()))
			done <- rest
		}()
		var got []byte
		for item, err := range stream.Items(t.Context(), far) {
			require.NoError(t, err)
			assert.LessOrEqual(t, len(item), 64<<10)
			got = append(got, item...)
		}
		assert.Equal(t, len(want)-n, <-done)
		assert.Equal(t, want, got)
	})
}

func TestFailedSendOverItemsIsNoCleanEndForReceive(t *testing.T) {
	s, far := flat(4)
	defer closeAll(t, s)
	require.NoError(t, far.Send(t.Context(), []byte("last words")))
	require.NoError(t, far.Close())
	_, failed := s.Send(t.Context(), []byte("x"))
	require.ErrorIs(t, failed, stream.ErrBroken)
	n, err := s.Receive(t.Context(), make([]byte, 64))
	require.NoError(t, err, "what came is received first")
	assert.Equal(t, 10, n)
	_, err = s.Receive(t.Context(), make([]byte, 64))
	assert.Same(t, failed, err)
	assert.Same(t, failed, stream.WaitReceive(t.Context(), s))
	_, err = s.Send(t.Context(), nil)
	assert.Same(t, failed, err)
	assert.Same(t, failed, s.SendEOF(t.Context()))
}

// refusing is an item stream whose Send fails after part of an item.
type refusing struct {
	stream.ObjectSender[[]byte]
	got  []string
	errs []error
}

func (r *refusing) Send(_ context.Context, item []byte) error {
	r.got = append(r.got, string(item))
	err := r.errs[0]
	r.errs = r.errs[1:]
	return err
}

func TestAnItemThatWasCutShortIsTakenAndFlushed(t *testing.T) {
	r := &refusing{errs: []error{&stream.PartialSendError{Left: 2, Err: errOwn}, nil}}
	s := stream.FromObjectSender(r)
	n, err := s.Send(t.Context(), []byte("hello"))
	assert.Equal(t, 5, n, "all was taken")
	assert.Equal(t, errOwn, err, "and waits below")
	for range 2 {
		n, err = s.Send(t.Context(), nil)
		assert.Zero(t, n)
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"hello", ""}, r.got, "an empty Send flushes once")
}

// flushing can flush without sending an item.
type flushing struct {
	*refusing
	flushes int
}

func (f *flushing) Flush(context.Context) error {
	f.flushes++
	return nil
}

func TestNoItemIsMadeUpWhereThereIsAFlush(t *testing.T) {
	f := &flushing{refusing: &refusing{errs: []error{&stream.PartialSendError{Left: 2, Err: errOwn}}}}
	s := stream.FromObjectSender(f)
	_, err := s.Send(t.Context(), []byte("hello"))
	require.Equal(t, errOwn, err)
	for range 2 {
		_, err = s.Send(t.Context(), nil)
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"hello"}, f.got)
	assert.Equal(t, 1, f.flushes)
}
