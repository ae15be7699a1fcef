package buffered_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
)

func TestReceiveReturnsTheBufferFirstAndAlone(t *testing.T) {
	s := &script{chunks: []string{"one\ntw", "o"}}
	r := buffered.NewReceiver(s, nil)
	line, err := r.ReceiveUntil(t.Context(), []byte("\n"), 0)
	require.NoError(t, err)
	assert.Equal(t, "one", string(line))
	assert.Equal(t, 2, r.Buffered())

	p := make([]byte, 16)
	n, err := r.Receive(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, "tw", string(p[:n]))
	assert.Zero(t, r.Buffered())
	assert.Len(t, s.asked, 1)

	n, err = r.Receive(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, "o", string(p[:n]))
	_, err = r.Receive(t.Context(), p)
	assert.Equal(t, io.EOF, err)
}

func TestReceiveAndReceiveExactlyReadNothingAhead(t *testing.T) {
	s := &script{chunks: []string{"abcdefghij"}}
	r := buffered.NewReceiver(s, nil)
	p := make([]byte, 3)
	require.NoError(t, r.ReceiveExactly(t.Context(), p))
	_, err := r.Receive(t.Context(), p[:2])
	require.NoError(t, err)
	assert.Equal(t, []int{3, 2}, s.asked)
	assert.Zero(t, r.Buffered())
}

func TestNegativeReadAheadTakesNothingTooMuch(t *testing.T) {
	s := &script{chunks: []string{"line\r\nrest of it"}}
	r := buffered.NewReceiver(s, &buffered.Config{ReadAhead: -1})
	line, err := r.ReceiveUntil(t.Context(), []byte("\r\n"), 0)
	require.NoError(t, err)
	assert.Equal(t, "line", string(line))
	assert.Zero(t, r.Buffered())
	head, err := r.Peek(t.Context(), 4)
	require.NoError(t, err)
	assert.Equal(t, "rest", string(head))
	assert.Equal(t, 4, r.Buffered())
	assert.Equal(t, []string{" of it"}, s.chunks)
}

func TestReadAheadIsHowMuchIsAskedFor(t *testing.T) {
	receive := func(s *script, cfg *buffered.Config) []int {
		r := buffered.NewReceiver(s, cfg)
		for range len(s.chunks) {
			_, err := r.ReceiveUntil(t.Context(), []byte("\n"), 1<<20)
			require.NoError(t, err)
		}
		return s.asked
	}
	full := func(size int) string { return strings.Repeat("x", size-1) + "\n" }
	for _, size := range []int{100, 4096, 10000} {
		s := &script{chunks: []string{full(size), full(size), "x\n", full(size)}}
		assert.Equal(t, []int{size, size, size, size}, receive(s, &buffered.Config{ReadAhead: size}), "as the caller says")
	}
	s := &script{chunks: []string{full(4096), full(8192), full(16384), full(32768), full(65536), full(65536)}}
	assert.Equal(t, []int{4096, 8192, 16384, 32768, 65536, 65536}, receive(s, nil), "more while there is more")
	s = &script{chunks: []string{full(4096), full(8192), "x\n", "x\n", "x\n"}}
	assert.Equal(t, []int{4096, 8192, 16384, 8192, 4096}, receive(s, nil), "and less again")
}

func TestReceiveExactlySpansChunks(t *testing.T) {
	for cut := 1; cut <= 10; cut++ {
		r := buffered.NewReceiver(&script{chunks: []string{"abcd", "ef", "ghij"}, cut: cut}, nil)
		p := make([]byte, 8)
		require.NoError(t, r.ReceiveExactly(t.Context(), p))
		assert.Equal(t, "abcdefgh", string(p))
	}
}

func TestReceiveExactlyOfNothingDoesNotWait(t *testing.T) {
	a, _ := pipe(t, nil)
	r := buffered.New(a, nil)
	require.NoError(t, r.ReceiveExactly(t.Context(), nil))
	assert.ErrorIs(t, r.ReceiveExactly(canceled(t), nil), context.Canceled)
	require.NoError(t, r.Close())
	assert.Equal(t, net.ErrClosed, r.ReceiveExactly(t.Context(), nil))
}

// What is asked for in vain can be received again, whatever cut it short.
func TestWhatCutsReceivingShortLeavesTheBytes(t *testing.T) {
	reset := stream.Broken(syscall.ECONNRESET)
	receive := map[string]func(context.Context, *buffered.Receiver) error{
		"ReceiveExactly": func(ctx context.Context, r *buffered.Receiver) error {
			return r.ReceiveExactly(ctx, make([]byte, 9))
		},
		"ReceiveUntil": func(ctx context.Context, r *buffered.Receiver) error {
			_, err := r.ReceiveUntil(ctx, []byte("\n"), 0)
			return err
		},
		"Peek": func(ctx context.Context, r *buffered.Receiver) error {
			_, err := r.Peek(ctx, 9)
			return err
		},
	}
	for name, f := range receive {
		for _, tt := range []struct {
			name      string
			end, want error
		}{
			{"the end", io.EOF, io.ErrUnexpectedEOF},
			{"a reset", reset, reset},
			{"a cancellation", stream.ContextError(canceled(t)), context.Canceled},
		} {
			t.Run(name+" and "+tt.name, func(t *testing.T) {
				r := buffered.NewReceiver(&script{chunks: []string{"ab", "cd"}, end: tt.end}, nil)
				require.NoError(t, r.Feed([]byte("fed ")))
				require.ErrorIs(t, f(t.Context(), r), tt.want)
				require.ErrorIs(t, f(t.Context(), r), tt.want, "again")
				assert.Equal(t, 8, r.Buffered())
				require.NoError(t, r.Feed([]byte("more ")))
				p := make([]byte, 13)
				require.NoError(t, r.ReceiveExactly(t.Context(), p))
				assert.Equal(t, "fed more abcd", string(p))
			})
		}
	}
}

func TestTheEndBeforeTheFirstByteIsEOF(t *testing.T) {
	r := buffered.NewReceiver(&script{}, nil)
	assert.Equal(t, io.EOF, r.ReceiveExactly(t.Context(), make([]byte, 1)))
	_, err := r.ReceiveUntil(t.Context(), []byte("\n"), 0)
	assert.Equal(t, io.EOF, err)
	_, err = r.Peek(t.Context(), 1)
	assert.Equal(t, io.EOF, err)
}

func TestPeekLeavesTheBytes(t *testing.T) {
	r := buffered.NewReceiver(&script{chunks: []string{"ab", "cd", "ef"}}, nil)
	for range 2 {
		head, err := r.Peek(t.Context(), 3)
		require.NoError(t, err)
		assert.Equal(t, "abc", string(head))
		assert.Equal(t, 3, cap(head), "appending to a view must not reach the buffer")
	}
	_, err := r.Peek(t.Context(), 7)
	require.Equal(t, io.ErrUnexpectedEOF, err)
	all, err := r.Peek(t.Context(), r.Buffered())
	require.NoError(t, err)
	assert.Equal(t, "abcdef", string(all))
	_, err = r.Peek(t.Context(), -1)
	assert.Error(t, err)
}

func TestDiscardTakesWhatIsBuffered(t *testing.T) {
	r := buffered.NewReceiver(&script{chunks: []string{"abcdef"}}, nil)
	require.Error(t, r.Discard(1), "nothing is in the buffer")
	view, err := r.Peek(t.Context(), 4)
	require.NoError(t, err)
	require.NoError(t, r.Discard(4))
	assert.Equal(t, "abcd", string(view))
	require.Error(t, r.Discard(3))
	require.Error(t, r.Discard(-1))
	require.NoError(t, r.Discard(0))
	assert.Equal(t, 2, r.Buffered())
}

func TestFedBytesComeFirstInOrder(t *testing.T) {
	r := buffered.NewReceiver(&script{chunks: []string{"1\n2\n3"}}, nil)
	line, err := r.ReceiveUntil(t.Context(), []byte("\n"), 0)
	require.NoError(t, err)
	require.Equal(t, "1", string(line))
	require.NoError(t, r.Feed([]byte("xxx")))
	require.NoError(t, r.Feed(nil))
	require.NoError(t, r.Feed([]byte("foo")))
	p := make([]byte, 2)
	require.NoError(t, r.ReceiveExactly(t.Context(), p))
	require.NoError(t, r.Feed([]byte("bar")))
	rest := make([]byte, 10)
	require.NoError(t, r.ReceiveExactly(t.Context(), rest))
	assert.Equal(t, "xxxfoobar2\n3", string(p)+string(rest))
}

func TestFeedTakesAView(t *testing.T) {
	r := buffered.NewReceiver(&script{chunks: []string{"a line\nnext\n"}}, nil)
	line, err := r.ReceiveUntil(t.Context(), []byte("\n"), 0)
	require.NoError(t, err)
	require.NoError(t, r.Feed(line))
	head, err := r.Peek(t.Context(), 8)
	require.NoError(t, err)
	require.NoError(t, r.Feed(head))
	got, err := r.ReceiveUntil(t.Context(), []byte("\n"), 0)
	require.NoError(t, err)
	assert.Equal(t, "a line"+"a linene"+"next", string(got))
}

func TestFeedCopies(t *testing.T) {
	r := buffered.NewReceiver(&script{}, nil)
	fed := []byte("fed")
	require.NoError(t, r.Feed(fed))
	copy(fed, "xxx")
	p := make([]byte, 3)
	require.NoError(t, r.ReceiveExactly(t.Context(), p))
	assert.Equal(t, "fed", string(p))
}

func TestWaitReceiveIsDoneWhileBytesAreBuffered(t *testing.T) {
	a, b := pipe(t, nil)
	s := buffered.New(a, nil)
	send(t, b, "ab\ncd")
	_, err := s.ReceiveUntil(t.Context(), []byte("\n"), 0)
	require.NoError(t, err)
	require.NoError(t, s.WaitReceive(t.Context()))
	require.NoError(t, s.ReceiveExactly(t.Context(), make([]byte, 2)))
	send(t, b, "e")
	require.NoError(t, s.WaitReceive(t.Context()))
	assert.Zero(t, s.Buffered(), "WaitReceive takes nothing")

	r := buffered.NewReceiver(&script{}, nil)
	assert.ErrorIs(t, r.WaitReceive(t.Context()), errors.ErrUnsupported)
}

func TestUnreadIsLive(t *testing.T) {
	a, b := pipe(t, nil)
	s := buffered.New(buffered.New(a, nil), nil)
	send(t, b, "a\nbc")
	_, err := s.ReceiveUntil(t.Context(), []byte("\n"), 0)
	require.NoError(t, err)
	n, err := stream.Unread.Get(s)
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	assert.Equal(t, []int{2, 0}, values(t, s), "each layer answers for itself")

	require.NoError(t, s.Close())
	_, err = stream.Unread.Get(s)
	assert.Equal(t, net.ErrClosed, err)
}

func values(t *testing.T, p attr.Provider) []int {
	var all []int
	for n, err := range stream.Unread.All(p) {
		require.NoError(t, err)
		all = append(all, n)
	}
	return all
}

func TestAttributesPassThrough(t *testing.T) {
	a, _ := pipe(t, nil)
	var want, got []string
	for e := range attr.All(a) {
		want = append(want, e.Name()+e.Layer())
	}
	require.NotEmpty(t, want)
	for e := range attr.All(buffered.New(a, nil)) {
		got = append(got, e.Name()+e.Layer())
	}
	assert.Equal(t, append([]string{"stream.unread*buffered.Stream"}, want...), got)
}

func TestReceiveAfterCloseIsErrClosedWhateverIsBuffered(t *testing.T) {
	a, b := pipe(t, nil)
	s := buffered.New(a, nil)
	send(t, b, "ab\ncd")
	_, err := s.ReceiveUntil(t.Context(), []byte("\n"), 0)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	assert.Zero(t, s.Buffered())
	for name, err := range receivingCalls(t.Context(), s) {
		assert.Equal(t, net.ErrClosed, err, name)
	}
	for name, err := range receivingCalls(canceled(t), s) {
		switch name {
		case "Discard", "Feed", "Detach": // which do not wait
			assert.Equal(t, net.ErrClosed, err, name)
		default:
			assert.ErrorIs(t, err, context.Canceled, name)
		}
	}
}

func TestReceivingCallsAreOneDirection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, nil)
		s := buffered.New(a, nil)
		var err error
		go func() { _, err = s.ReceiveUntil(t.Context(), []byte("\n"), 0) }() // ends when the line has come
		synctest.Wait()
		send(t, b, "half a ")
		synctest.Wait()
		assert.Equal(t, 7, s.Buffered(), "live also during a call")
		for name, err := range receivingCalls(t.Context(), s) {
			assert.Equal(t, stream.ErrBusy, err, name)
		}
		send(t, b, "line\nx")
		synctest.Wait()
		require.NoError(t, err)
		assert.NoError(t, s.ReceiveExactly(t.Context(), make([]byte, 1)), "free again")
	})
}

// receivingCalls makes each call of the receiving direction.
func receivingCalls(ctx context.Context, s *buffered.Stream) map[string]error {
	errs := make(map[string]error)
	_, errs["Receive"] = s.Receive(ctx, make([]byte, 1))
	errs["WaitReceive"] = s.WaitReceive(ctx)
	errs["ReceiveExactly"] = s.ReceiveExactly(ctx, make([]byte, 1))
	_, errs["ReceiveUntil"] = s.ReceiveUntil(ctx, []byte("\n"), 0)
	for _, err := range s.Until(ctx, []byte("\n"), 0) {
		errs["Until"] = err
	}
	_, errs["Peek"] = s.Peek(ctx, 1)
	errs["Discard"] = s.Discard(0)
	errs["Feed"] = s.Feed([]byte("x"))
	_, _, errs["Detach"] = s.Detach()
	return errs
}

func TestTheDirectionIsFreeAfterAPanic(t *testing.T) {
	r := buffered.NewReceiver(panicking{&script{}}, nil)
	assert.Panics(t, func() { r.Receive(t.Context(), make([]byte, 1)) })
	assert.Panics(t, func() { r.ReceiveUntil(t.Context(), []byte("\n"), 0) })
	assert.NoError(t, r.Feed([]byte("x")))
}

type panicking struct{ *script }

func (panicking) Receive(context.Context, []byte) (int, error) { panic("planted") }

func TestNoBytesAndNoErrorIsNoProgress(t *testing.T) {
	r := buffered.NewReceiver(idle{&script{}}, nil)
	_, err := r.Receive(t.Context(), make([]byte, 1))
	assert.Equal(t, io.ErrNoProgress, err)
	_, err = r.ReceiveUntil(t.Context(), []byte("\n"), 0)
	assert.Equal(t, io.ErrNoProgress, err)
}

type idle struct{ *script }

func (idle) Receive(context.Context, []byte) (int, error) { return 0, nil }

func TestNilIsRefusedByName(t *testing.T) {
	assert.PanicsWithValue(t, "buffered: New: nil s", func() { buffered.New(nil, nil) })
	assert.PanicsWithValue(t, "buffered: NewReceiver: nil r", func() { buffered.NewReceiver(nil, nil) })
	assert.PanicsWithValue(t, "buffered: NewConnector: nil c", func() { buffered.NewConnector[stream.ByteStream](nil, nil) })
}
