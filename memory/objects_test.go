package memory_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

// A result is what a call in a goroutine of its own came to.
type result[T any] struct {
	item T
	err  error
}

// receiveLater starts a Receive and returns once it waits, if it does. It
// must be called in a bubble.
func receiveLater[T any](ctx context.Context, r *memory.Receiver[T]) <-chan result[T] {
	c := make(chan result[T], 1)
	go func() { // ends with the Receive
		item, err := r.Receive(ctx)
		c <- result[T]{item, err}
	}()
	synctest.Wait()
	return c
}

// sendLater is receiveLater for Send.
func sendLater[T any](ctx context.Context, s *memory.Sender[T], item T) <-chan error {
	c := make(chan error, 1)
	go func() { c <- s.Send(ctx, item) }() // ends with the Send
	synctest.Wait()
	return c
}

// pending reports whether a call in a goroutine of its own still waits.
func pending[T any](c <-chan T) bool {
	synctest.Wait()
	return len(c) == 0
}

func TestNewPanicsOnANegativeSize(t *testing.T) {
	assert.PanicsWithValue(t, "memory: New: negative size", func() { memory.New[int](-1) })
}

func TestWaitingReceiverGetsItemsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](0)
		got := make(chan string, 2)
		go func() {
			for range 2 {
				item, err := r.Receive(t.Context())
				assert.NoError(t, err)
				got <- item
			}
		}()
		synctest.Wait()
		require.NoError(t, s.Send(t.Context(), "hello"))
		require.NoError(t, s.Send(t.Context(), "anyone"))
		assert.Equal(t, "hello", <-got)
		assert.Equal(t, "anyone", <-got)
	})
}

func TestTrySendServesWaitingReceivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](0)
		first := receiveLater(t.Context(), r)
		second := receiveLater(t.Context(), r)
		require.NoError(t, s.TrySend("hello"))
		require.NoError(t, s.TrySend("anyone"))
		assert.ErrorIs(t, s.TrySend("nobody"), stream.ErrWouldBlock)
		assert.Equal(t, result[string]{"hello", nil}, <-first)
		assert.Equal(t, result[string]{"anyone", nil}, <-second)
	})
}

func TestTryReceiveTakesFromAWaitingSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](0)
		first := sendLater(t.Context(), s, "hello")
		second := sendLater(t.Context(), s, "anyone")
		for _, want := range []string{"hello", "anyone"} {
			item, err := r.TryReceive()
			require.NoError(t, err)
			assert.Equal(t, want, item)
		}
		assert.NoError(t, <-first)
		assert.NoError(t, <-second)
		_, err := r.TryReceive()
		assert.ErrorIs(t, err, stream.ErrWouldBlock)
	})
}

func TestTryReceiveMakesRoomForAWaitingSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](1)
		require.NoError(t, s.TrySend("hello"))
		sent := sendLater(t.Context(), s, "anyone")
		require.True(t, pending(sent))
		item, err := r.TryReceive()
		require.NoError(t, err)
		assert.Equal(t, "hello", item)
		require.NoError(t, <-sent)
		item, err = r.TryReceive()
		require.NoError(t, err)
		assert.Equal(t, "anyone", item)
	})
}

func TestBufferIsFirstInFirstOut(t *testing.T) {
	tests := []struct {
		name        string
		size, items int
	}{
		{"one", 1, 1},
		{"some", 5, 5},
		{"many", 3000, 3000},
		{"unbounded", memory.Unbounded, 100_000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, r := memory.New[int](tt.size)
			for round := range 2 {
				for i := range tt.items {
					require.NoError(t, s.TrySend(i+round))
				}
				for i := range tt.items {
					item, err := r.TryReceive()
					require.NoError(t, err)
					require.Equal(t, i+round, item)
				}
			}
		})
	}
}

func TestBufferKeepsOrderWhileItWrapsAndGrows(t *testing.T) {
	s, r := memory.New[int](memory.Unbounded)
	var sent, received int
	for step := range 200 {
		for range step % 17 {
			require.NoError(t, s.TrySend(sent))
			sent++
		}
		for range min(step%13, sent-received) {
			item, err := r.TryReceive()
			require.NoError(t, err)
			require.Equal(t, received, item)
			received++
		}
	}
	assert.Equal(t, sent-received, r.Statistics().Buffered)
}

func TestItemsEndWhenTheSenderCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](0)
		go func() {
			assert.NoError(t, s.Send(t.Context(), "hello"))
			assert.NoError(t, s.Send(t.Context(), "anyone"))
			assert.NoError(t, s.Close())
		}()
		var got []string
		for item, err := range stream.Items(t.Context(), r) {
			require.NoError(t, err)
			got = append(got, item)
		}
		assert.Equal(t, []string{"hello", "anyone"}, got)
	})
}

func TestSendOnAClosedHandleIsErrClosed(t *testing.T) {
	s, r := memory.New[int](1)
	require.NoError(t, s.Close())
	assert.ErrorIs(t, s.Send(t.Context(), 1), net.ErrClosed)
	assert.ErrorIs(t, s.TrySend(1), net.ErrClosed)
	_, err := r.TryReceive()
	assert.Equal(t, io.EOF, err)
	_, err = r.Receive(t.Context())
	assert.Equal(t, io.EOF, err)
}

func TestReceiveOnAClosedHandleIsErrClosed(t *testing.T) {
	s, r := memory.New[int](1)
	require.NoError(t, s.TrySend(1))
	require.NoError(t, r.Close())
	_, err := r.Receive(t.Context())
	assert.ErrorIs(t, err, net.ErrClosed)
	_, err = r.TryReceive()
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestSendIsBrokenOnceEveryReceiverIsClosed(t *testing.T) {
	s, r := memory.New[int](1)
	require.NoError(t, r.Close())
	first := s.Send(t.Context(), 1)
	broken, ok := errors.AsType[*stream.BrokenError](first)
	require.True(t, ok, "%v", first)
	assert.Equal(t, io.ErrClosedPipe, broken.Cause)
	assert.ErrorIs(t, first, stream.ErrBroken)
	assert.Same(t, broken, s.Send(t.Context(), 2), "it stays so")
	assert.Same(t, broken, s.TrySend(3))

	_, err := r.Clone()
	assert.ErrorIs(t, err, net.ErrClosed, "no receiver can come back")
	require.NoError(t, s.Close())
	assert.ErrorIs(t, s.Send(t.Context(), 4), net.ErrClosed, "closed by us comes first")
}

func TestSendChecksTheContextFirst(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	cancel(reason)
	s, r := memory.New[int](1)
	require.NoError(t, s.Close())
	require.NoError(t, r.Close())
	for _, err := range []error{s.Send(ctx, 1), errorOf(r.Receive(ctx))} {
		assert.ErrorIs(t, err, reason)
		assert.ErrorIs(t, err, context.Canceled)
	}
}

func errorOf[T any](_ T, err error) error { return err }

func TestCanceledReceiverIsNoLongerServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](0)
		ctx, cancel := context.WithCancel(t.Context())
		received := receiveLater(ctx, r)
		cancel()
		assert.ErrorIs(t, (<-received).err, context.Canceled)
		assert.ErrorIs(t, s.TrySend("hello"), stream.ErrWouldBlock)
	})
}

func TestCanceledSendWithdrawsItsItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](0)
		ctx, cancel := context.WithCancel(t.Context())
		sent := sendLater(ctx, s, "hello")
		cancel()
		assert.ErrorIs(t, <-sent, context.Canceled)
		_, err := r.TryReceive()
		assert.ErrorIs(t, err, stream.ErrWouldBlock)
	})
}

func TestReceiveThatTimedOutLeavesTheStreamUsable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](1)
		ctx, cancel := context.WithTimeout(t.Context(), 1e9)
		defer cancel()
		_, err := r.Receive(ctx)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, s.TrySend("hello"))
		item, err := r.TryReceive()
		require.NoError(t, err)
		assert.Equal(t, "hello", item)
	})
}

func TestClonesLiveOnAfterTheOriginalsClose(t *testing.T) {
	s, r := memory.New[string](1)
	s2, err := s.Clone()
	require.NoError(t, err)
	r2, err := r.Clone()
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "a second Close does not count twice")
	require.NoError(t, r.Close())
	require.NoError(t, r.Close())

	require.NoError(t, s2.TrySend("hello"))
	item, err := r2.TryReceive()
	require.NoError(t, err)
	assert.Equal(t, "hello", item)

	require.NoError(t, s2.Close())
	_, err = r2.TryReceive()
	assert.Equal(t, io.EOF, err, "the last clone ends the stream")
}

func TestCloneOfAClosedHandleIsErrClosed(t *testing.T) {
	s, r := memory.New[int](1)
	require.NoError(t, s.Close())
	require.NoError(t, r.Close())
	_, err := s.Clone()
	assert.ErrorIs(t, err, net.ErrClosed)
	_, err = r.Clone()
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestLastSenderClosedIsEOFForWaitingReceivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](0)
		s2, err := s.Clone()
		require.NoError(t, err)
		first := receiveLater(t.Context(), r)
		second := receiveLater(t.Context(), r)
		require.NoError(t, s.Close())
		require.True(t, pending(first), "one sender is left")
		require.NoError(t, s2.Close())
		assert.Equal(t, io.EOF, (<-first).err)
		assert.Equal(t, io.EOF, (<-second).err)
	})
}

func TestLastReceiverClosedBreaksWaitingSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](0)
		r2, err := r.Clone()
		require.NoError(t, err)
		sent := sendLater(t.Context(), s, "") // the zero value is an item too
		require.NoError(t, r.Close())
		require.True(t, pending(sent), "one receiver is left")
		require.NoError(t, r2.Close())
		assert.ErrorIs(t, <-sent, stream.ErrBroken)
	})
}

func TestZeroValuesAreItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[*int](0)
		sent := sendLater(t.Context(), s, nil)
		item, err := r.Receive(t.Context())
		require.NoError(t, err)
		assert.Nil(t, item)
		require.NoError(t, <-sent)
		received := receiveLater(t.Context(), r)
		require.NoError(t, s.TrySend(nil))
		assert.Equal(t, result[*int]{}, <-received)
	})
}

func TestBufferedItemsAreReceivedBeforeEOF(t *testing.T) {
	s, r := memory.New[string](2)
	require.NoError(t, s.TrySend("hello"))
	require.NoError(t, s.TrySend("anyone"))
	require.NoError(t, s.Close())
	for _, want := range []string{"hello", "anyone"} {
		item, err := r.Receive(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, item)
	}
	for range 2 {
		_, err := r.Receive(t.Context())
		assert.Equal(t, io.EOF, err)
	}
}

func TestReceiveWithADoneContextTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, s.TrySend("hello"))
		sent := sendLater(t.Context(), s, "world")
		_, err := r.Receive(ctx)
		require.ErrorIs(t, err, context.Canceled)
		for _, want := range []string{"hello", "world"} {
			item, err := r.Receive(t.Context())
			require.NoError(t, err)
			assert.Equal(t, want, item)
		}
		assert.NoError(t, <-sent)
	})
}

func TestSendWithADoneContextSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		received := receiveLater(t.Context(), r)
		require.ErrorIs(t, s.Send(ctx, "hello"), context.Canceled)
		require.True(t, pending(received))
		require.NoError(t, s.Send(t.Context(), "world"))
		assert.Equal(t, result[string]{"world", nil}, <-received)
	})
}

func TestItemDeliveredBeforeTheCancelIsReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 { // which of two ready channels is seen first is random
			s, r := memory.New[string](0)
			ctx, cancel := context.WithCancel(t.Context())
			received := receiveLater(ctx, r)
			require.NoError(t, s.TrySend("hello"))
			cancel()
			require.Equal(t, result[string]{"hello", nil}, <-received)
		}
	})
}

func TestItemAcceptedBeforeTheCancelIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			s, r := memory.New[string](0)
			ctx, cancel := context.WithCancel(t.Context())
			sent := sendLater(ctx, s, "hello")
			item, err := r.TryReceive()
			require.NoError(t, err)
			require.Equal(t, "hello", item)
			cancel()
			require.NoError(t, <-sent)
		}
	})
}

// The token that wakes a call comes after the lock is given up. In between the
// call may find its context done, though its outcome is fixed.
func TestCancelBetweenDeliveryAndWakeUpLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](0)
		ctx, cancel := context.WithCancel(t.Context())
		wait := memory.StartReceive(ctx, r)
		wake := memory.PutSilently(s, "hello")
		cancel()
		received := make(chan result[string], 1)
		go func() {
			item, err := wait()
			received <- result[string]{item, err}
		}()
		require.True(t, pending(received))
		wake()
		assert.Equal(t, result[string]{"hello", nil}, <-received)
	})
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](0)
		ctx, cancel := context.WithCancel(t.Context())
		wait := memory.StartSend(ctx, s, "hello")
		item, wake := memory.TakeSilently(r)
		assert.Equal(t, "hello", item)
		cancel()
		sent := make(chan error, 1)
		go func() { sent <- wait() }()
		require.True(t, pending(sent))
		wake()
		assert.NoError(t, <-sent)
	})
}

func TestItemSentAfterTheCancelGoesToTheBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			s, r := memory.New[string](1)
			ctx, cancel := context.WithCancel(t.Context())
			received := receiveLater(ctx, r)
			cancel()
			require.NoError(t, s.TrySend("hello"))
			require.ErrorIs(t, (<-received).err, context.Canceled)
			item, err := r.TryReceive()
			require.NoError(t, err)
			require.Equal(t, "hello", item)
		}
	})
}

func TestItemSentAfterTheCancelGoesToTheNextInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			s, r := memory.New[string](0)
			ctx, cancel := context.WithCancel(t.Context())
			first := receiveLater(ctx, r)
			second := receiveLater(t.Context(), r)
			cancel()
			require.NoError(t, s.TrySend("hello"))
			require.ErrorIs(t, (<-first).err, context.Canceled)
			require.Equal(t, result[string]{"hello", nil}, <-second)
		}
	})
}

func TestRoomFreedAfterTheCancelGoesToTheNextInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			s, r := memory.New[string](0)
			ctx, cancel := context.WithCancel(t.Context())
			first := sendLater(ctx, s, "hello")
			second := sendLater(t.Context(), s, "anyone")
			cancel()
			item, err := r.TryReceive()
			require.NoError(t, err)
			require.Equal(t, "anyone", item)
			require.ErrorIs(t, <-first, context.Canceled)
			require.NoError(t, <-second)
		}
	})
}

func TestReceiverThatClosesAfterTakingLeavesTheSendASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](0)
		sent := sendLater(t.Context(), s, "hello")
		item, err := r.TryReceive()
		require.NoError(t, err)
		require.NoError(t, r.Close())
		assert.Equal(t, "hello", item)
		assert.NoError(t, <-sent)
	})
}

func TestCloseWakesTheCallsOfThatSenderOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](0)
		s2, err := s.Clone()
		require.NoError(t, err)
		first := sendLater(t.Context(), s, "one")
		second := sendLater(t.Context(), s2, "two")
		third := sendLater(t.Context(), s, "three")
		require.NoError(t, s.Close())
		assert.ErrorIs(t, <-first, net.ErrClosed)
		assert.ErrorIs(t, <-third, net.ErrClosed)
		require.True(t, pending(second))
		item, err := r.Receive(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "two", item)
		assert.NoError(t, <-second)
		assert.ErrorIs(t, s.Send(t.Context(), "four"), net.ErrClosed, "it stays so")
	})
}

func TestCloseWakesTheCallsOfThatReceiverOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[string](0)
		r2, err := r.Clone()
		require.NoError(t, err)
		first := receiveLater(t.Context(), r)
		second := receiveLater(t.Context(), r2)
		third := receiveLater(t.Context(), r)
		require.NoError(t, r.Close())
		assert.ErrorIs(t, (<-first).err, net.ErrClosed)
		assert.ErrorIs(t, (<-third).err, net.ErrClosed)
		require.True(t, pending(second))
		require.NoError(t, s.Send(t.Context(), "two"))
		assert.Equal(t, result[string]{"two", nil}, <-second)
		assert.ErrorIs(t, errorOf(r.Receive(t.Context())), net.ErrClosed, "it stays so")
	})
}

func TestItemSentWhileAReceiverWaitsBelongsToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[int](1)
		received := receiveLater(t.Context(), r)
		require.NoError(t, s.TrySend(1))
		_, err := r.TryReceive() // before the first has run
		require.ErrorIs(t, err, stream.ErrWouldBlock)
		assert.Equal(t, result[int]{1, nil}, <-received)
	})
}

func TestRoomFreedWhileASenderWaitsBelongsToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[int](1)
		require.NoError(t, s.TrySend(1))
		sent := sendLater(t.Context(), s, 2)
		item, err := r.TryReceive()
		require.NoError(t, err)
		assert.Equal(t, 1, item)
		require.ErrorIs(t, s.TrySend(3), stream.ErrWouldBlock) // before it has run
		require.NoError(t, <-sent)
		item, err = r.TryReceive()
		require.NoError(t, err)
		assert.Equal(t, 2, item)
	})
}

func TestWaitingCallsAreServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[int](0)
		var waiting []<-chan result[int]
		for range 10 {
			waiting = append(waiting, receiveLater(t.Context(), r))
		}
		for i := range 10 {
			require.NoError(t, s.TrySend(i))
		}
		for i, c := range waiting {
			assert.Equal(t, result[int]{i, nil}, <-c)
		}
		var sending []<-chan error
		for i := range 10 {
			sending = append(sending, sendLater(t.Context(), s, i))
		}
		for i, c := range sending {
			item, err := r.TryReceive()
			require.NoError(t, err)
			assert.Equal(t, i, item)
			assert.NoError(t, <-c)
		}
	})
}

func TestStatisticsFollowEveryPhase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := memory.New[int](1)
		want := memory.Statistics{Size: 1, Senders: 1, Receivers: 1}
		check := func() {
			t.Helper()
			synctest.Wait()
			if diff := cmp.Diff(want, s.Statistics()); diff != "" {
				t.Errorf("Sender.Statistics mismatch (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, r.Statistics()); diff != "" {
				t.Errorf("Receiver.Statistics mismatch (-want +got):\n%s", diff)
			}
		}
		check()

		s2, err := s.Clone()
		require.NoError(t, err)
		r2, err := r.Clone()
		require.NoError(t, err)
		want.Senders, want.Receivers = 2, 2
		check()

		require.NoError(t, s2.Close())
		require.NoError(t, r2.Close())
		want.Senders, want.Receivers = 1, 1
		check()

		ctx, cancel := context.WithCancel(t.Context())
		receiveLater(ctx, r)
		receiveLater(ctx, r)
		want.WaitingReceivers = 2
		check()
		cancel()
		want.WaitingReceivers = 0
		check()

		sendLater(t.Context(), s, 1)
		want.Buffered, want.Peak = 1, 1
		check()
		sendLater(t.Context(), s, 2)
		sendLater(t.Context(), s, 3)
		want.WaitingSenders = 2
		check()

		for range 2 {
			_, err := r.TryReceive()
			require.NoError(t, err)
			want.WaitingSenders--
			check()
		}
		_, err = r.TryReceive()
		require.NoError(t, err)
		want.WaitingSenders, want.Buffered = 0, 0
		check()

		require.NoError(t, s.Close())
		require.NoError(t, r.Close())
		want.Senders, want.Receivers = 0, 0
		check()
	})
}

func TestPeakIsTheMostThatWasEverInTheBuffer(t *testing.T) {
	s, r := memory.New[int](3)
	for _, n := range []int{3, 1} {
		for i := range n {
			require.NoError(t, s.TrySend(i))
		}
		for range n {
			_, err := r.TryReceive()
			require.NoError(t, err)
		}
	}
	assert.Equal(t, memory.Statistics{Size: 3, Peak: 3, Senders: 1, Receivers: 1}, s.Statistics())
}

func TestLastReceiverClosedLetsGoOfTheBuffer(t *testing.T) {
	s, r := memory.New[int](3)
	require.NoError(t, s.TrySend(1))
	require.NoError(t, r.Close())
	assert.Zero(t, s.Statistics().Buffered)
	assert.Zero(t, memory.Slots(r))
}

func TestStreamKeepsNoReferenceToReceivedItems(t *testing.T) {
	for _, size := range []int{0, 4} {
		synctest.Test(t, func(t *testing.T) {
			s, r := memory.New[*[64]byte](size)
			item := new([64]byte)
			ref := weak.Make(item)
			received := receiveLater(t.Context(), r) // directly
			require.NoError(t, s.TrySend(item))
			require.NoError(t, (<-received).err)
			sent := sendLater(t.Context(), s, item) // by way of the buffer or of the Send that waits
			_, err := r.TryReceive()
			require.NoError(t, err)
			require.NoError(t, <-sent)
			runtime.GC()
			assert.Nil(t, ref.Value(), "size %d", size)
			runtime.KeepAlive(s)
			runtime.KeepAlive(r)
		})
	}
}
