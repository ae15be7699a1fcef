package streamtest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

// harmless are the hostile wrappers under which the contract still holds.
var harmless = []struct {
	name string
	wrap func(stream.ByteStream) stream.ByteStream
}{
	{"OneByte", func(s stream.ByteStream) stream.ByteStream { return streamtest.NewOneByte(s) }},
	{"Chunked", func(s stream.ByteStream) stream.ByteStream { return streamtest.NewChunked(s, 700, 1) }},
	{"Delayed", func(s stream.ByteStream) stream.ByteStream { return streamtest.NewDelayed(s, time.Millisecond) }},
	{"Failing", func(s stream.ByteStream) stream.ByteStream {
		return streamtest.NewFailingReceive(s, 1<<30, errTest)
	}},
	{"Dying", func(s stream.ByteStream) stream.ByteStream { return streamtest.NewDying(s, 1<<30, errTest) }},
}

var errTest = errors.New("a failure made by a test")

func TestHarmlessWrappersHoldTheContract(t *testing.T) {
	for _, tt := range harmless {
		t.Run(tt.name, func(t *testing.T) {
			wrapped := func(pipe func(context.Context) (a, b stream.ByteStream, err error)) func(context.Context) (a, b stream.ByteStream, err error) {
				return func(ctx context.Context) (stream.ByteStream, stream.ByteStream, error) {
					a, b, err := pipe(ctx)
					return tt.wrap(a), tt.wrap(b), err
				}
			}
			streamtest.TestByteStream(t, &streamtest.Maker{
				Pipe:       wrapped(pipeOf(64)),
				Holds:      64,
				Bubble:     true,
				Operations: 200,
			})
		})
	}
}

func TestHostileWrappersKeepWhatTheyWrap(t *testing.T) {
	for _, tt := range harmless {
		t.Run(tt.name, func(t *testing.T) {
			streamtest.TestWrapper(t, &streamtest.WrapperMaker{
				Wrap: func(_ context.Context, s stream.ByteStream) (stream.ByteStream, error) { return tt.wrap(s), nil },
			})
		})
	}
}

func TestOneByteReceivesOneByte(t *testing.T) {
	a, b := newPipe(64)
	s := streamtest.NewOneByte(b)
	_, err := a.Send(t.Context(), []byte("ab"))
	require.NoError(t, err)
	buf := make([]byte, 8)
	for _, want := range "ab" {
		n, err := s.Receive(t.Context(), buf)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(buf[:n]))
	}
}

func TestOneByteSendsByteByByte(t *testing.T) {
	sizes := &sizes{}
	n, err := streamtest.NewOneByte(sizes).Send(t.Context(), []byte("abc"))
	require.NoError(t, err)
	assert.Equal(t, 3, n)
	assert.Equal(t, []int{1, 1, 1}, sizes.sent)
}

func TestChunkedRepeatsItsPieces(t *testing.T) {
	cut := func(seed uint64) []int {
		sizes := &sizes{}
		_, err := streamtest.NewChunked(sizes, 10, seed).Send(t.Context(), make([]byte, 200))
		require.NoError(t, err)
		return sizes.sent
	}
	assert.Equal(t, cut(1), cut(1))
	assert.NotEqual(t, cut(1), cut(2))
	for _, size := range cut(3) {
		assert.LessOrEqual(t, size, 10)
	}
}

func TestDelayedWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPipe(64)
		s := streamtest.NewDelayed(b, time.Second)
		start := time.Now()
		_, err := s.Send(t.Context(), []byte("x"))
		require.NoError(t, err)
		assert.Equal(t, time.Second, time.Since(start))
		_, err = a.Send(t.Context(), []byte("y"))
		require.NoError(t, err)
		_, err = s.Receive(t.Context(), make([]byte, 1))
		require.NoError(t, err)
		assert.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestDelayedEndsItsWaitEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPipe(64)
		s := streamtest.NewDelayed(b, time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		n, err := s.Send(ctx, []byte("x"))
		assert.Zero(t, n)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))

		time.AfterFunc(time.Second, func() { s.Close() })
		_, err = s.Receive(t.Context(), make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
		assert.Equal(t, 2*time.Second, time.Since(start))
		_, err = a.Receive(t.Context(), make([]byte, 1))
		assert.ErrorIs(t, err, io.EOF)
	})
}

func TestFailingReceiveFailsAtItsByte(t *testing.T) {
	a, b := newPipe(64)
	s := streamtest.NewFailingReceive(b, 3, errTest)
	_, err := a.Send(t.Context(), []byte("abcdef"))
	require.NoError(t, err)
	buf := make([]byte, 8)
	n, err := s.Receive(t.Context(), buf)
	require.NoError(t, err)
	assert.Equal(t, "abc", string(buf[:n]))
	for range 2 {
		n, err = s.Receive(t.Context(), buf)
		assert.Zero(t, n)
		assert.Equal(t, errTest, err)
	}
	assert.NoError(t, s.WaitReceive(t.Context()), "Receive would not block")
	_, err = s.Send(t.Context(), []byte("x"))
	assert.NoError(t, err, "the other direction goes on")
	require.NoError(t, s.Close())
	_, err = s.Receive(t.Context(), buf)
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestFailingSendFailsAtItsByte(t *testing.T) {
	a, b := newPipe(64)
	s := streamtest.NewFailingSend(b, 3, errTest)
	n, err := s.Send(t.Context(), []byte("abcdef"))
	assert.Equal(t, 3, n)
	assert.Equal(t, errTest, err)
	for range 2 {
		n, err = s.Send(t.Context(), []byte("x"))
		assert.Zero(t, n)
		assert.Equal(t, errTest, err)
	}
	assert.Equal(t, errTest, s.SendEOF(t.Context()))
	buf := make([]byte, 8)
	n, err = a.Receive(t.Context(), buf)
	require.NoError(t, err)
	assert.Equal(t, "abc", string(buf[:n]))
	_, err = a.Send(t.Context(), []byte("x"))
	require.NoError(t, err)
	_, err = s.Receive(t.Context(), buf)
	assert.NoError(t, err, "the other direction goes on")
}

func TestDyingBreaksBothDirectionsAtItsByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPipe(64)
		s := streamtest.NewDying(b, 3, errTest)
		received := make(chan error, 1)
		go func() {
			_, err := s.Receive(t.Context(), make([]byte, 1))
			received <- err
		}()
		synctest.Wait()
		n, err := s.Send(t.Context(), []byte("abcdef"))
		assert.Equal(t, 3, n)
		first, ok := errors.AsType[*stream.BrokenError](err)
		require.True(t, ok)
		assert.Equal(t, errTest, first.Cause)
		assert.Same(t, first, <-received, "a Receive that waited")

		_, err = s.Receive(t.Context(), make([]byte, 1))
		assert.Same(t, first, err)
		_, err = s.Send(t.Context(), nil)
		assert.Same(t, first, err)
		assert.Same(t, first, s.SendEOF(t.Context()))
		assert.NoError(t, s.WaitReceive(t.Context()), "Receive would not block")

		buf := make([]byte, 8)
		n, err = a.Receive(t.Context(), buf)
		require.NoError(t, err)
		assert.Equal(t, "abc", string(buf[:n]))
		_, err = a.Receive(t.Context(), buf)
		require.ErrorIs(t, err, stream.ErrBroken)
		require.NoError(t, s.Close())
		_, err = s.Receive(t.Context(), buf)
		assert.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestDyingBreaksReceiveAtItsByte(t *testing.T) {
	a, b := newPipe(64)
	s := streamtest.NewDying(b, 3, errTest)
	_, err := a.Send(t.Context(), []byte("abcdef"))
	require.NoError(t, err)
	buf := make([]byte, 8)
	n, err := s.Receive(t.Context(), buf)
	require.NoError(t, err)
	assert.Equal(t, "abc", string(buf[:n]))
	_, err = s.Receive(t.Context(), buf)
	require.ErrorIs(t, err, stream.ErrBroken)
	_, again := s.Send(t.Context(), []byte("x"))
	assert.Same(t, err, again)
}

func TestWrappersOfNothingPanic(t *testing.T) {
	tests := []struct {
		want string
		make func()
	}{
		{"streamtest: NewOneByte: nil s", func() { streamtest.NewOneByte(nil) }},
		{"streamtest: NewChunked: nil s", func() { streamtest.NewChunked(nil, 1, 1) }},
		{"streamtest: NewChunked: limit is not positive", func() { streamtest.NewChunked(&sizes{}, 0, 1) }},
		{"streamtest: NewDelayed: nil s", func() { streamtest.NewDelayed(nil, 0) }},
		{"streamtest: NewDelayed: negative delay", func() { streamtest.NewDelayed(&sizes{}, -1) }},
		{"streamtest: NewFailingReceive: nil s", func() { streamtest.NewFailingReceive(nil, 0, errTest) }},
		{"streamtest: NewFailingSend: nil err", func() { streamtest.NewFailingSend(&sizes{}, 0, nil) }},
		{"streamtest: NewFailingSend: negative after", func() { streamtest.NewFailingSend(&sizes{}, -1, errTest) }},
		{"streamtest: NewDying: nil s", func() { streamtest.NewDying(nil, 0, errTest) }},
		{"streamtest: NewDying: negative after", func() { streamtest.NewDying(&sizes{}, -1, errTest) }},
	}
	for _, tt := range tests {
		assert.PanicsWithValue(t, tt.want, tt.make)
	}
}

// sizes is a stream that keeps how much each Send sent.
type sizes struct {
	stream.ByteStream
	sent []int
}

func (s *sizes) Send(_ context.Context, p []byte) (int, error) {
	s.sent = append(s.sent, len(p))
	return len(p), nil
}
