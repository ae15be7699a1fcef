package buffered_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/internal/golden"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

var codecs = map[string]buffered.Codec[[]byte]{
	"length":    buffered.LengthPrefixed{},
	"delimited": buffered.Delimited{Delimiter: []byte("\r\n")},
}

func TestFramesHoldTheContract(t *testing.T) {
	for name, codec := range codecs {
		m := &streamtest.ObjectMaker[[]byte]{
			Pipe: func(context.Context) (a, b stream.ObjectStream[[]byte], err error) {
				x, y := memory.Pipe(&memory.Config{Buffer: 100})
				return buffered.NewFrames(buffered.New(x, nil), codec), buffered.NewFrames(buffered.New(y, nil), codec), nil
			},
			Items: streamtest.Items[[]byte]{Item: numbered, Number: number, Encodes: true, Bubble: true},
		}
		t.Run(name, func(t *testing.T) { streamtest.TestObjectStream(t, m) })
	}
}

// numbered returns frames of many sizes, of which the first is empty.
func numbered(i int) []byte {
	if i == 0 {
		return []byte{}
	}
	return append(strconv.AppendInt(nil, int64(i), 10), bytes.Repeat([]byte("-"), i%300)...)
}

func number(item []byte) int {
	if len(item) == 0 {
		return 0
	}
	i, err := strconv.Atoi(string(bytes.TrimRight(item, "-")))
	if err != nil {
		return -1
	}
	return i
}

// A canceled Send says whether its frame counts as sent: this storm believes
// it and expects each frame exactly once.
func TestACanceledSendSaysWhetherTheFrameIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, &memory.Config{Buffer: 64})
		sender := buffered.NewFrameSender[[]byte](a, buffered.LengthPrefixed{Size: 2})
		receiver := buffered.NewFrameReceiver[[]byte](buffered.NewReceiver(b, nil), buffered.LengthPrefixed{Size: 2})
		var sent, received []int
		partly := 0
		go func() { // ends when it has sent everything
			for i := range 3000 {
				ctx, cancel := context.WithCancel(t.Context())
				go func() { // ends at once
					for range rand.IntN(8) {
						b.Attributes()
					}
					cancel()
				}()
				err := sender.Send(ctx, numbered(i))
				cancel()
				if _, ok := errors.AsType[*stream.PartialSendError](err); ok {
					partly++
				} else if err != nil {
					assert.ErrorIs(t, err, context.Canceled)
					continue
				}
				sent = append(sent, i)
			}
			assert.NoError(t, sender.SendEOF(t.Context()))
		}()
		for item, err := range stream.Items(t.Context(), receiver) {
			require.NoError(t, err)
			received = append(received, number(item))
		}
		synctest.Wait()
		assert.Equal(t, sent, received)
		assert.NotZero(t, partly, "a storm in which nothing was cut short proves nothing")
	})
}

func TestGoldenFrames(t *testing.T) {
	prefixed, err := golden.LengthPrefixed()
	require.NoError(t, err)
	delimited, err := golden.Delimited()
	require.NoError(t, err)
	for _, tt := range append(prefixed, delimited...) {
		t.Run(tt.Name, func(t *testing.T) {
			var codec buffered.Codec[[]byte] = buffered.Delimited{Delimiter: tt.Delimiter}
			if tt.Prefix != 0 {
				codec = buffered.LengthPrefixed{Size: tt.Prefix, Order: order(tt.Order)}
			}
			for _, cut := range []int{0, 1, 3} {
				checkFrames(t, codec, tt, cut)
			}
		})
	}
}

func order(name string) binary.ByteOrder {
	if name == "little" {
		return binary.LittleEndian
	}
	return binary.BigEndian
}

func checkFrames(t *testing.T, codec buffered.Codec[[]byte], tt golden.Frames, cut int) {
	s := &script{chunks: []string{string(tt.Wire)}, cut: cut}
	if len(tt.Wire) == 0 {
		s.chunks = nil
	}
	r := buffered.NewFrameReceiver(buffered.NewReceiver(s, nil), codec)
	for _, want := range tt.Payloads {
		got, err := r.Receive(t.Context())
		require.NoError(t, err)
		require.Equal(t, []byte(want), append([]byte{}, got...))
	}
	for range 2 {
		_, err := r.Receive(t.Context())
		switch tt.Then {
		case golden.Ended:
			require.Equal(t, io.EOF, err)
		case golden.Truncated:
			require.Equal(t, io.ErrUnexpectedEOF, err)
		case golden.Oversized:
			require.ErrorAs(t, err, new(*buffered.FrameTooLongError))
		default:
			t.Fatalf("what is %q?", tt.Then)
		}
	}
	var wire []byte
	for _, p := range tt.Payloads {
		var err error
		wire, err = codec.Append(wire, p)
		require.NoError(t, err)
	}
	if tt.Then == golden.Ended {
		assert.Equal(t, []byte(tt.Wire), append([]byte{}, wire...))
	} else {
		assert.True(t, bytes.HasPrefix(tt.Wire, wire))
	}
}

func TestLengthsOnTheWire(t *testing.T) {
	item := []byte("abc")
	for _, tt := range []struct {
		codec buffered.LengthPrefixed
		want  string
	}{
		{buffered.LengthPrefixed{}, "\x00\x00\x00\x03abc"},
		{buffered.LengthPrefixed{Size: 1}, "\x03abc"},
		{buffered.LengthPrefixed{Size: 2}, "\x00\x03abc"},
		{buffered.LengthPrefixed{Size: 2, Order: binary.LittleEndian}, "\x03\x00abc"},
		{buffered.LengthPrefixed{Size: 4, Order: binary.LittleEndian}, "\x03\x00\x00\x00abc"},
		{buffered.LengthPrefixed{Size: 8}, "\x00\x00\x00\x00\x00\x00\x00\x03abc"},
		{buffered.LengthPrefixed{Size: 8, Order: binary.LittleEndian}, "\x03\x00\x00\x00\x00\x00\x00\x00abc"},
	} {
		got, err := tt.codec.Append([]byte("x"), item)
		require.NoError(t, err)
		assert.Equal(t, "x"+tt.want, string(got))
		r := buffered.NewFrameReceiver[[]byte](buffered.NewReceiver(&script{chunks: []string{tt.want}}, nil), tt.codec)
		back, err := r.Receive(t.Context())
		require.NoError(t, err)
		assert.Equal(t, item, back)
	}
}

func TestTheLimitOfAFrameIsExactBothWays(t *testing.T) {
	for _, tt := range []struct {
		codec buffered.Codec[[]byte]
		limit int
	}{
		{buffered.LengthPrefixed{}, 1 << 20},
		{buffered.LengthPrefixed{Max: 10}, 10},
		{buffered.LengthPrefixed{Size: 1}, 255},
		{buffered.LengthPrefixed{Size: 1, Max: -1}, 255},
		{buffered.LengthPrefixed{Size: 2, Max: 1 << 30}, 65535},
		{buffered.Delimited{Delimiter: []byte("\r\n")}, 1 << 20},
		{buffered.Delimited{Delimiter: []byte("\r\n"), Max: 10}, 10},
	} {
		t.Run(fmt.Sprintf("%T of %d", tt.codec, tt.limit), func(t *testing.T) {
			item := bytes.Repeat([]byte("x"), tt.limit)
			wire, err := tt.codec.Append(nil, item)
			require.NoError(t, err)
			_, err = tt.codec.Append(nil, append(item, 'x'))
			if diff := cmp.Diff(&buffered.FrameTooLongError{Len: uint64(tt.limit) + 1, Max: tt.limit}, err); diff != "" {
				t.Errorf("Append mismatch (-want +got):\n%s", diff)
			}
			r := buffered.NewFrameReceiver(buffered.NewReceiver(&script{chunks: []string{string(wire)}}, nil), tt.codec)
			got, err := r.Receive(t.Context())
			require.NoError(t, err)
			assert.True(t, bytes.Equal(item, got))
		})
	}
	codec := buffered.LengthPrefixed{Max: 10}
	r := buffered.NewFrameReceiver[[]byte](buffered.NewReceiver(&script{chunks: []string{"\x00\x00\x00\x0b"}}, nil), codec)
	for range 2 {
		_, err := r.Receive(t.Context())
		assert.EqualError(t, err, "buffered: frame of 11 bytes, at most 10 are allowed")
	}
	d := buffered.NewFrameReceiver[[]byte](buffered.NewReceiver(&script{chunks: []string{"12345678901\n"}}, nil),
		buffered.Delimited{Delimiter: []byte("\n"), Max: 10})
	_, err := d.Receive(t.Context())
	assert.ErrorAs(t, err, new(*buffered.DelimiterNotFoundError))
}

// The length is the peer's word: whatever it says, memory is taken only for
// what has come.
func TestTheLengthOfAnAttackerAllocatesNothing(t *testing.T) {
	for _, tt := range []struct {
		head  string
		codec buffered.LengthPrefixed
	}{
		{"\x7f\xff\xff\xff", buffered.LengthPrefixed{Max: -1}},
		{"\x80\x00\x00\x00", buffered.LengthPrefixed{Max: -1}},
		{"\xff\xff\xff\xff", buffered.LengthPrefixed{Max: -1}},
		{"\x7f\xff\xff\xff\xff\xff\xff\xf7", buffered.LengthPrefixed{Size: 8, Max: -1}},
		{"\x7f\xff\xff\xff\xff\xff\xff\xff", buffered.LengthPrefixed{Size: 8, Max: -1}},
		{"\x80\x00\x00\x00\x00\x00\x00\x00", buffered.LengthPrefixed{Size: 8, Max: -1}},
		{"\xff\xff\xff\xff\xff\xff\xff\xff", buffered.LengthPrefixed{Size: 8}},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		const runs = 50
		var err error
		for range runs {
			s := &script{chunks: []string{tt.head + "body"}}
			_, err = buffered.NewFrameReceiver[[]byte](buffered.NewReceiver(s, nil), tt.codec).Receive(t.Context())
		}
		runtime.ReadMemStats(&after)
		bytesPerRun := (after.TotalAlloc - before.TotalAlloc) / runs
		assert.Error(t, err)
		assert.Less(t, bytesPerRun, uint64(16<<10), "%x", tt.head)
	}
}

func TestAnItemWithTheDelimiterIsRefused(t *testing.T) {
	for _, tt := range []struct{ delim, item string }{
		{"\r\n", "a\r\nb"},
		{"\n", "\n"},
		{"aa", "xa"}, // with the delimiter behind it, it would end too early
	} {
		a, b := pipe(t, nil)
		w := buffered.NewFrameSender[[]byte](a, buffered.Delimited{Delimiter: []byte(tt.delim)})
		require.Error(t, w.Send(t.Context(), []byte(tt.item)))
		require.NoError(t, w.Send(t.Context(), []byte("fine")))
		p := make([]byte, 64)
		n, err := b.Receive(t.Context(), p)
		require.NoError(t, err)
		assert.Equal(t, "fine"+tt.delim, string(p[:n]), "of what was refused nothing is sent")
	}
}

func TestUnusableCodecsAreErrors(t *testing.T) {
	for _, codec := range []buffered.Codec[[]byte]{buffered.LengthPrefixed{Size: 3}, buffered.Delimited{}} {
		_, err := codec.Append(nil, []byte("x"))
		assert.Error(t, err)
		_, err = buffered.NewFrameReceiver(buffered.NewReceiver(&script{chunks: []string{"x"}}, nil), codec).Receive(t.Context())
		assert.Error(t, err)
		assert.NotEqual(t, io.EOF, err)
	}
}

func TestAFrameIsOneSend(t *testing.T) {
	for name, codec := range codecs {
		s := &counting{}
		w := buffered.NewFrameSender(s, codec)
		for _, size := range []int{0, 100, 100_000} {
			require.NoError(t, w.Send(t.Context(), make([]byte, size)), name)
		}
		assert.Equal(t, 3, s.sends, name)
	}
}

// counting counts Sends and has no SendEOF.
type counting struct {
	sends  int
	closed bool
}

func (c *counting) Send(_ context.Context, p []byte) (int, error) { c.sends++; return len(p), nil }
func (c *counting) Attributes() *attr.Set                         { return nil }
func (c *counting) Close() error                                  { c.closed = true; return nil }

func TestSendEOFOfAStreamThatOnlySendsIsClose(t *testing.T) {
	s := &counting{}
	w := buffered.NewFrameSender[[]byte](s, buffered.LengthPrefixed{})
	require.NoError(t, w.SendEOF(t.Context()))
	assert.True(t, s.closed)
	assert.Equal(t, net.ErrClosed, w.Send(t.Context(), nil))
	assert.NoError(t, w.SendEOF(t.Context()))
}

func TestTheTailOfACutFrameGoesFirst(t *testing.T) {
	for name, finish := range map[string]func(context.Context, *buffered.Frames[[]byte]) error{
		"Send":    func(ctx context.Context, f *buffered.Frames[[]byte]) error { return f.Send(ctx, []byte("next")) },
		"Flush":   func(ctx context.Context, f *buffered.Frames[[]byte]) error { return f.Flush(ctx) },
		"SendEOF": func(ctx context.Context, f *buffered.Frames[[]byte]) error { return f.SendEOF(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := pipe(t, &memory.Config{Buffer: 5})
				f := buffered.NewFrames[[]byte](buffered.New(a, nil), buffered.LengthPrefixed{Size: 1})
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- f.Send(ctx, []byte("0123456789")) }() // ends with the cancellation
				synctest.Wait()
				cancel()
				err := <-done
				cut, ok := errors.AsType[*stream.PartialSendError](err)
				require.True(t, ok, "%v", err)
				assert.Equal(t, 6, cut.Left)
				assert.ErrorIs(t, err, context.Canceled)

				assert.ErrorIs(t, f.Send(ctx, []byte("never")), context.Canceled)
				go func() { done <- finish(t.Context(), f) }() // ends when b has received
				p := make([]byte, 11)
				require.NoError(t, buffered.NewReceiver(b, nil).ReceiveExactly(t.Context(), p))
				assert.Equal(t, "\n0123456789", string(p))
				require.NoError(t, <-done)
			})
		})
	}
}

// A layer that takes all and keeps the tail to itself has nothing left here.
func TestAFrameThatTheLayerBelowHasTakenIsNotSentAgain(t *testing.T) {
	s := &encoding{fail: true}
	w := buffered.NewFrameSender[[]byte](s, buffered.LengthPrefixed{Size: 1})
	err := w.Send(t.Context(), []byte("ab"))
	cut, ok := errors.AsType[*stream.PartialSendError](err)
	require.True(t, ok, "%v", err)
	assert.Zero(t, cut.Left)
	s.fail = false
	require.NoError(t, w.Flush(t.Context()))
	require.NoError(t, w.Flush(t.Context()))
	require.NoError(t, w.Send(t.Context(), []byte("c")))
	assert.Equal(t, []string{"\x02ab", "", "\x01c"}, s.sent)
}

// encoding takes everything, and fails if it is to.
type encoding struct {
	fail bool
	sent []string
}

func (e *encoding) Send(_ context.Context, p []byte) (int, error) {
	e.sent = append(e.sent, string(p))
	if e.fail {
		return len(p), errors.New("cut short")
	}
	return len(p), nil
}
func (e *encoding) Attributes() *attr.Set { return nil }
func (e *encoding) Close() error          { return nil }

func TestReceivedFramesBelongToTheCaller(t *testing.T) {
	for name, codec := range codecs {
		a, b := pipe(t, nil)
		w := buffered.NewFrameSender[[]byte](a, codec)
		r := buffered.NewFrameReceiver(buffered.NewReceiver(b, nil), codec)
		item := []byte("mine")
		require.NoError(t, w.Send(t.Context(), item))
		copy(item, "xxxx")
		require.NoError(t, w.Send(t.Context(), item))
		first, err := r.Receive(t.Context())
		require.NoError(t, err)
		_, err = r.Receive(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "mine", string(first), name)
	}
}

func TestWhatWasReadAheadIsReceivedAsFrames(t *testing.T) {
	a, b := pipe(t, nil)
	s := buffered.New(a, nil)
	send(t, b, "hello\n\x01a\x01b")
	_, err := s.ReceiveUntil(t.Context(), []byte("\n"), 0)
	require.NoError(t, err)
	f := buffered.NewFrames[[]byte](s, buffered.LengthPrefixed{Size: 1})
	for _, want := range []string{"a", "b"} {
		n, err := stream.Unread.Get(f)
		require.NoError(t, err)
		assert.NotZero(t, n)
		got, err := f.Receive(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
	}
}

func TestNilFramesAreRefusedByName(t *testing.T) {
	a, _ := pipe(t, nil)
	codec := buffered.LengthPrefixed{}
	for want, f := range map[string]func(){
		"NewFrames: nil s":            func() { buffered.NewFrames[[]byte](nil, codec) },
		"NewFrames: nil codec":        func() { buffered.NewFrames[[]byte](buffered.New(a, nil), nil) },
		"NewFrameReceiver: nil r":     func() { buffered.NewFrameReceiver[[]byte](nil, codec) },
		"NewFrameReceiver: nil codec": func() { buffered.NewFrameReceiver[[]byte](buffered.NewReceiver(a, nil), nil) },
		"NewFrameSender: nil s":       func() { buffered.NewFrameSender[[]byte](nil, codec) },
		"NewFrameSender: nil codec":   func() { buffered.NewFrameSender[[]byte](a, nil) },
	} {
		assert.PanicsWithValue(t, "buffered: "+want, f)
	}
}
