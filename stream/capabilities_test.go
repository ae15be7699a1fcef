package stream_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

var (
	errOwn   = errors.New("an error of its own")
	errClose = errors.New("an error of Close")
	errCause = errors.New("the cause")
)

// wantCalls compares the calls that a fake got.
func wantCalls(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls mismatch (-want +got):\n%s", diff)
	}
}

func TestWaitReceiveHasNoSubstitute(t *testing.T) {
	f := new(fake)
	require.ErrorIs(t, stream.WaitReceive(t.Context(), f), errors.ErrUnsupported)
	assert.Empty(t, f.calls)
}

func TestWaitReceiveIsTheStreamsOwn(t *testing.T) {
	for _, want := range []error{nil, errOwn, errors.ErrUnsupported} {
		a := &able{err: want}
		assert.Equal(t, want, stream.WaitReceive(t.Context(), a))
		wantCalls(t, a.calls, "WaitReceive")
	}
}

func TestSendBuffersIsTheStreamsOwn(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    int64
		err  error
	}{
		{"success", 3, nil},
		{"failure", 0, errOwn},
		{"failure on its way", 2, errOwn},
		{"unsupported on its way", 2, errors.ErrUnsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := &able{sentN: tt.n, err: tt.err}
			n, err := stream.SendBuffers(t.Context(), a, [][]byte{[]byte("abc")})
			assert.Equal(t, tt.n, n)
			assert.Equal(t, tt.err, err)
			wantCalls(t, a.calls, "SendBuffers")
		})
	}
}

func TestSendBuffersFallsBackToSends(t *testing.T) {
	bufs := [][]byte{[]byte("ab"), nil, []byte("cde")}
	f := new(fake)
	n, err := stream.SendBuffers(t.Context(), f, bufs)
	require.NoError(t, err)
	assert.EqualValues(t, 5, n)
	assert.Equal(t, []string{"ab", "", "cde"}, f.sent)
	assert.Equal(t, [][]byte{[]byte("ab"), nil, []byte("cde")}, bufs, "the argument is left alone")

	a := &able{err: errors.ErrUnsupported}
	n, err = stream.SendBuffers(t.Context(), a, bufs)
	require.NoError(t, err)
	assert.EqualValues(t, 5, n)
	wantCalls(t, a.calls, "SendBuffers", "Send", "Send", "Send")
}

func TestSendBuffersCountsWhatAFailedSendTook(t *testing.T) {
	f := &fake{sendN: 2, sendErr: errOwn}
	n, err := stream.SendBuffers(t.Context(), f, [][]byte{[]byte("abc"), []byte("d")})
	assert.EqualValues(t, 2, n)
	assert.Equal(t, errOwn, err)
	wantCalls(t, f.calls, "Send")
}

func TestSendBuffersOfNothingIsSendOfNothing(t *testing.T) {
	f := new(fake)
	n, err := stream.SendBuffers(t.Context(), f, nil)
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Equal(t, []string{""}, f.sent)

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errCause)
	_, err = stream.SendBuffers(ctx, f, nil)
	require.ErrorIs(t, err, errCause)
}

func TestTrySendIsTheStreamsOwnOrUnsupported(t *testing.T) {
	n, err := stream.TrySend(new(fake), []byte("abc"))
	assert.Zero(t, n)
	require.ErrorIs(t, err, errors.ErrUnsupported)

	n, err = stream.TrySend(&able{sentN: 1, err: stream.ErrWouldBlock}, []byte("abc"))
	assert.Equal(t, 1, n)
	assert.Equal(t, stream.ErrWouldBlock, err)
}

func TestShutdownIsTheStreamsOwn(t *testing.T) {
	a := &able{err: errOwn}
	a.closeErr = errClose
	err := stream.Shutdown(t.Context(), a)
	require.ErrorIs(t, err, errOwn)
	require.ErrorIs(t, err, errClose)
	wantCalls(t, a.calls, "Shutdown", "Close")
}

func TestShutdownFallsBackToTheHalfClose(t *testing.T) {
	f := &fake{pieces: []string{"what the peer", "still says"}}
	require.NoError(t, stream.Shutdown(t.Context(), f))
	wantCalls(t, f.calls, "SendEOF", "Receive", "Receive", "Receive", "Close")

	a := &able{err: errors.ErrUnsupported}
	require.NoError(t, stream.Shutdown(t.Context(), a))
	wantCalls(t, a.calls, "Shutdown", "SendEOF", "WaitReceive", "Receive", "Close")
}

func TestShutdownAlwaysCloses(t *testing.T) {
	done, cancel := context.WithCancelCause(t.Context())
	cancel(errCause)
	for _, tt := range []struct {
		name  string
		ctx   context.Context
		f     *fake
		want  error
		calls []string
	}{
		{"context done", done, new(fake), errCause, []string{"SendEOF", "Close"}},
		{"no half-close", t.Context(), &fake{eofErr: errors.ErrUnsupported}, errors.ErrUnsupported, []string{"SendEOF", "Close"}},
		{"broken", t.Context(), &fake{receiveErr: stream.Broken(errOwn)}, stream.ErrBroken, []string{"SendEOF", "Receive", "Close"}},
		{"failing Close", t.Context(), &fake{closeErr: errClose}, errClose, []string{"SendEOF", "Receive", "Close"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.ErrorIs(t, stream.Shutdown(tt.ctx, tt.f), tt.want)
			wantCalls(t, tt.f.calls, tt.calls...)
		})
	}
}

func TestShutdownOfADoneContextClosesARealStream(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a, b := memory.Pipe(nil)
	require.ErrorIs(t, stream.Shutdown(ctx, a), context.Canceled)
	_, err := a.Receive(t.Context(), make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = b.Receive(t.Context(), make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	require.NoError(t, b.Close())
}

func TestAbortIsTheStreamsOwnElseClose(t *testing.T) {
	a := &able{err: errOwn}
	assert.Equal(t, errOwn, stream.Abort(a, errCause))
	wantCalls(t, a.calls, "Abort: the cause")

	a = &able{err: errors.ErrUnsupported}
	require.NoError(t, stream.Abort(a, errCause))
	wantCalls(t, a.calls, "Abort: the cause", "Close")

	f := &fake{closeErr: errClose}
	assert.Equal(t, errClose, stream.Abort(f, nil))
	wantCalls(t, f.calls, "Close")
}
