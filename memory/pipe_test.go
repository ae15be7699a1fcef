package memory_test

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

// transfer is what a Send or Receive of bytes came to.
type transfer struct {
	n   int
	err error
}

// later starts a Send or Receive and returns once it waits, if it does. It
// must be called in a bubble.
func later(ctx context.Context, call func(context.Context, []byte) (int, error), p []byte) <-chan transfer {
	c := make(chan transfer, 1)
	go func() { // ends with the call
		n, err := call(ctx, p)
		c <- transfer{n, err}
	}()
	synctest.Wait()
	return c
}

// pipes are the forms of a pipe that behave differently.
var pipes = []struct {
	name string
	cfg  *memory.Config
}{
	{"default", nil},
	{"one byte", &memory.Config{Buffer: 1}},
	{"lockstep", lockstep},
}

// lockstep is a pipe that holds nothing.
var lockstep = &memory.Config{Buffer: -1}

func TestPipeHoldsAsManyBytesAsConfigured(t *testing.T) {
	tests := []struct {
		name string
		cfg  *memory.Config
		want int
	}{
		{"nil", nil, 64 << 10},
		{"zero", &memory.Config{}, 64 << 10},
		{"one", &memory.Config{Buffer: 1}, 1},
		{"between chunks", &memory.Config{Buffer: 10_000}, 10_000},
		{"lockstep", lockstep, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := memory.Pipe(tt.cfg)
			n, err := a.TrySend(make([]byte, 1<<20))
			assert.ErrorIs(t, err, stream.ErrWouldBlock)
			assert.Equal(t, tt.want, n)
			n, err = b.TrySend(make([]byte, 1<<20))
			assert.ErrorIs(t, err, stream.ErrWouldBlock)
			assert.Equal(t, tt.want, n, "the directions do not share room")
		})
	}
}

func TestLockstepSendReturnsOnceEverythingIsReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memory.Pipe(lockstep)
		sent := later(t.Context(), a.Send, []byte("hello"))
		buf := make([]byte, 4)
		n, err := b.Receive(t.Context(), buf)
		require.NoError(t, err)
		assert.Equal(t, "hell", string(buf[:n]))
		require.True(t, pending(sent))
		n, err = b.Receive(t.Context(), buf)
		require.NoError(t, err)
		assert.Equal(t, "o", string(buf[:n]))
		assert.Equal(t, transfer{5, nil}, <-sent)
	})
}

func TestTrySendInLockstepServesAWaitingReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memory.Pipe(lockstep)
		n, err := a.TrySend([]byte("early"))
		assert.ErrorIs(t, err, stream.ErrWouldBlock)
		assert.Zero(t, n)

		buf := make([]byte, 3)
		received := later(t.Context(), b.Receive, buf)
		n, err = a.TrySend([]byte("hello"))
		assert.ErrorIs(t, err, stream.ErrWouldBlock)
		assert.Equal(t, 3, n)
		assert.Equal(t, transfer{3, nil}, <-received)
		assert.Equal(t, "hel", string(buf))
	})
}

func TestCanceledSendTellsExactlyWhatThePeerGets(t *testing.T) {
	for _, tt := range pipes {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := memory.Pipe(tt.cfg)
				ctx, cancel := context.WithCancel(t.Context())
				sent := later(ctx, a.Send, make([]byte, 100_000))
				require.True(t, pending(sent))
				first, err := b.Receive(t.Context(), make([]byte, 10))
				require.NoError(t, err)
				cancel()
				got := <-sent
				assert.ErrorIs(t, got.err, context.Canceled)

				require.NoError(t, a.SendEOF(t.Context()))
				rest, err := io.ReadAll(stream.NewReader(t.Context(), b))
				require.NoError(t, err)
				assert.Equal(t, got.n, first+len(rest))
			})
		})
	}
}

func TestPeerReceivesWhatWasSentBeforeClose(t *testing.T) {
	a, b := memory.Pipe(nil)
	_, err := a.Send(t.Context(), []byte("hello"))
	require.NoError(t, err)
	require.NoError(t, a.Close())
	require.NoError(t, a.Close())

	got, err := io.ReadAll(stream.NewReader(t.Context(), b))
	require.NoError(t, err)
	assert.Equal(t, "hello", string(got))
	_, err = b.Send(t.Context(), []byte("x"))
	broken, ok := errors.AsType[*stream.BrokenError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, io.ErrClosedPipe, broken.Cause)
	_, err = b.Receive(t.Context(), make([]byte, 1))
	assert.Equal(t, io.EOF, err, "an end that was returned stays")
}

func TestSendThatMeetsTheClosedPeerBreaksReceiveToo(t *testing.T) {
	a, b := memory.Pipe(nil)
	_, err := a.Send(t.Context(), []byte("hello"))
	require.NoError(t, err)
	require.NoError(t, a.Close())

	_, failure := b.Send(t.Context(), []byte("x"))
	require.ErrorIs(t, failure, stream.ErrBroken)
	buf := make([]byte, 10)
	n, err := b.Receive(t.Context(), buf)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(buf[:n]), "what is readable comes first")
	_, err = b.Receive(t.Context(), buf)
	assert.Same(t, failure, err)
}

func TestCloseBreaksAPeerThatIsSending(t *testing.T) {
	for _, tt := range pipes {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := memory.Pipe(tt.cfg)
				sent := later(t.Context(), b.Send, make([]byte, 100_000))
				received := later(t.Context(), b.Receive, make([]byte, 1))
				require.NoError(t, a.Close())
				failed := <-sent
				assert.ErrorIs(t, failed.err, stream.ErrBroken)
				assert.Same(t, failed.err, (<-received).err)
			})
		})
	}
}

func TestReceiveIsBrokenOnceTheSendBesideItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 { // the Send may or may not have run again
			a, b := memory.Pipe(lockstep)
			sent := later(t.Context(), b.Send, []byte("x"))
			require.NoError(t, a.Close())
			_, err := b.Receive(t.Context(), make([]byte, 1))
			require.ErrorIs(t, err, stream.ErrBroken)
			require.Same(t, err, (<-sent).err)
		}
	})
}

func TestLastByteTakenBeforeCloseLeavesTheSendASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memory.Pipe(lockstep)
		sent := later(t.Context(), a.Send, []byte("x"))
		_, err := b.Receive(t.Context(), make([]byte, 1))
		require.NoError(t, err)
		require.NoError(t, b.Close())
		require.NoError(t, a.Close())
		assert.Equal(t, transfer{1, nil}, <-sent)
	})
}

func TestLastByteTakenBeforeCloseLeavesSendBuffersASuccess(t *testing.T) {
	for _, bufs := range [][][]byte{
		{[]byte("xy")},
		{[]byte("x"), []byte("y")},
		{nil, []byte("xy"), nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			a, b := memory.Pipe(lockstep)
			done := make(chan struct{})
			go func() {
				defer close(done)
				n, err := a.SendBuffers(t.Context(), bufs)
				assert.NoError(t, err)
				assert.EqualValues(t, 2, n)
			}()
			_, err := io.ReadFull(stream.NewReader(t.Context(), b), make([]byte, 2))
			require.NoError(t, err)
			require.NoError(t, b.Close())
			<-done
			require.NoError(t, a.Close())
		})
	}
}

func TestAbortBreaksBothDirectionsOfThePeer(t *testing.T) {
	reason := errors.New("gone mad")
	a, b := memory.Pipe(nil)
	_, err := a.Send(t.Context(), []byte("hello"))
	require.NoError(t, err)
	require.NoError(t, stream.Abort(a, reason))
	require.NoError(t, stream.Abort(a, errors.New("again")))

	buf := make([]byte, 10)
	n, err := b.Receive(t.Context(), buf)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(buf[:n]))
	_, err = b.Receive(t.Context(), buf)
	assert.ErrorIs(t, err, stream.ErrBroken)
	assert.ErrorIs(t, err, reason)
	_, sendErr := b.Send(t.Context(), []byte("x"))
	assert.Same(t, err, sendErr)
	assert.Same(t, err, b.SendEOF(t.Context()))
	_, err = a.Receive(t.Context(), buf)
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestAbortAfterSendEOFIsBrokenToThePeer(t *testing.T) {
	a, b := memory.Pipe(nil)
	require.NoError(t, a.SendEOF(t.Context()))
	require.NoError(t, a.Abort(nil))
	_, err := b.Receive(t.Context(), make([]byte, 1))
	assert.ErrorIs(t, err, stream.ErrBroken)
}

func TestCloseWithdrawsWhatASendStillHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memory.Pipe(&memory.Config{Buffer: 2})
		sent := later(t.Context(), a.Send, []byte("hello"))
		require.NoError(t, a.Close())
		got, err := io.ReadAll(stream.NewReader(t.Context(), b))
		require.NoError(t, err)
		assert.Equal(t, "he", string(got))
		assert.Equal(t, transfer{2, net.ErrClosed}, <-sent)
	})
}

func TestSendEOFSucceedsAfterThePeerClosed(t *testing.T) {
	a, b := memory.Pipe(nil)
	require.NoError(t, a.Close())
	assert.NoError(t, b.SendEOF(t.Context()))
	assert.NoError(t, stream.Shutdown(t.Context(), b))
}

func TestSendBuffersIsOneSend(t *testing.T) {
	for _, tt := range pipes {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := memory.Pipe(tt.cfg)
				bufs := [][]byte{[]byte("he"), nil, make([]byte, 100_000)}
				sent := make(chan int64, 1)
				go func() {
					n, err := a.SendBuffers(t.Context(), bufs)
					assert.NoError(t, err)
					sent <- n
					assert.NoError(t, a.SendEOF(t.Context()))
				}()
				synctest.Wait()
				_, err := a.Send(t.Context(), []byte("x"))
				require.ErrorIs(t, err, stream.ErrBusy)
				got, err := io.ReadAll(stream.NewReader(t.Context(), b))
				require.NoError(t, err)
				assert.Equal(t, append([]byte("he"), bufs[2]...), got)
				assert.Equal(t, int64(100_002), <-sent)
			})
		})
	}
}

func TestSendBuffersOfNothingAnswersLikeSend(t *testing.T) {
	a, b := memory.Pipe(nil)
	n, err := a.SendBuffers(t.Context(), nil)
	require.NoError(t, err)
	assert.Zero(t, n)
	require.NoError(t, a.Close())
	_, err = b.SendBuffers(t.Context(), nil)
	assert.ErrorIs(t, err, stream.ErrBroken)
	_, err = a.SendBuffers(t.Context(), nil)
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestEmptySendLeavesAWaitingReceiveAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			a, b := memory.Pipe(lockstep)
			received := later(t.Context(), b.Receive, make([]byte, 1))
			n, err := a.Send(t.Context(), nil)
			require.NoError(t, err)
			require.Zero(t, n)
			n, err = a.TrySend([]byte("x"))
			require.NoError(t, err)
			require.Equal(t, 1, n)
			require.Equal(t, transfer{1, nil}, <-received)
		}
	})
}

func TestWaitReceiveWaitsAndTakesNothing(t *testing.T) {
	for _, tt := range pipes {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := memory.Pipe(tt.cfg)
				waited := make(chan error, 1)
				go func() { waited <- b.WaitReceive(t.Context()) }()
				synctest.Wait()
				require.True(t, pending(waited))
				_, err := b.Receive(t.Context(), make([]byte, 1))
				require.ErrorIs(t, err, stream.ErrBusy)

				sent := later(t.Context(), a.Send, []byte("x"))
				require.NoError(t, <-waited)
				buf := make([]byte, 1)
				_, err = b.Receive(t.Context(), buf)
				require.NoError(t, err)
				assert.Equal(t, "x", string(buf))
				assert.Equal(t, transfer{1, nil}, <-sent)
			})
		})
	}
}

func TestCloseOfAPeerThatReceivedEverythingIsACleanEnd(t *testing.T) {
	for range 500 {
		a, b := memory.Pipe(&memory.Config{Buffer: -1})
		sent := make(chan error, 1)
		go func() {
			_, err := a.Send(t.Context(), []byte("x"))
			sent <- err
		}()
		_, err := b.Receive(t.Context(), make([]byte, 1))
		require.NoError(t, err)
		require.NoError(t, b.Close()) // often before that Send runs again
		require.NoError(t, <-sent)
		_, err = a.Receive(t.Context(), make([]byte, 1))
		require.Equal(t, io.EOF, err)
		require.NoError(t, a.Close())
	}
}
