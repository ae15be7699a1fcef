package buffered_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/buffered"
)

func TestADelimiterIsFoundWhereverItIsCut(t *testing.T) {
	const payload, rest = "some text", "rest"
	for _, delim := range []string{"\n", "\r\n", "--boundary--", strings.Repeat("d", 5000), "aab"} {
		whole := payload + delim + rest
		for i := range len(whole) {
			chunks := []string{whole[:i], whole[i:]}
			if i == 0 {
				chunks = chunks[1:]
			}
			s := &script{chunks: chunks}
			r := buffered.NewReceiver(s, nil)
			got, err := r.ReceiveUntil(t.Context(), []byte(delim), len(payload))
			require.NoError(t, err, "cut at %d", i)
			require.Equal(t, payload, string(got), "cut at %d", i)
			p := make([]byte, len(rest))
			require.NoError(t, r.ReceiveExactly(t.Context(), p))
			require.Equal(t, rest, string(p), "cut at %d", i)
		}
	}
}

func TestOverlappingDelimiters(t *testing.T) {
	for _, tt := range []struct{ in, delim, want, rest string }{
		{"aaab|", "aab", "a", "|"},
		{"\r\r\n|", "\r\n", "\r", "|"},
		{"ababac|", "abac", "ab", "|"},
		{"xaaaa|", "aa", "x", "aa|"},
	} {
		for cut := 1; cut < len(tt.in); cut++ {
			r := buffered.NewReceiver(&script{chunks: []string{tt.in}, cut: cut}, nil)
			got, err := r.ReceiveUntil(t.Context(), []byte(tt.delim), 0)
			require.NoError(t, err)
			assert.Equal(t, tt.want, string(got), "%q in pieces of %d", tt.in, cut)
			p := make([]byte, len(tt.rest))
			require.NoError(t, r.ReceiveExactly(t.Context(), p))
			assert.Equal(t, tt.rest, string(p))
		}
	}
}

func TestTheLimitIsExactAndOnThePayload(t *testing.T) {
	for _, delim := range []string{"\n", "\r\n"} {
		for length := range 12 {
			for limit := 1; limit < 12; limit++ {
				for _, cut := range []int{1, 3, 100} {
					in := strings.Repeat("x", length) + delim
					r := buffered.NewReceiver(&script{chunks: []string{in + "rest"}, cut: cut}, nil)
					got, err := r.ReceiveUntil(t.Context(), []byte(delim), limit)
					name := fmt.Sprintf("%q within %d in pieces of %d", in, limit, cut)
					if length <= limit {
						require.NoError(t, err, name)
						require.Len(t, got, length, name)
						continue
					}
					notFound, ok := errors.AsType[*buffered.DelimiterNotFoundError](err)
					require.True(t, ok, "%s: %v", name, err)
					require.Equal(t, &buffered.DelimiterNotFoundError{Delimiter: []byte(delim), Max: limit}, notFound)
					got, err = r.ReceiveUntil(t.Context(), []byte(delim), length)
					require.NoError(t, err, "the data must still be there: %s", name)
					require.Len(t, got, length, name)
				}
			}
		}
	}
}

func TestTheDefaultLimitIs64KiB(t *testing.T) {
	for _, over := range []int{0, 1} {
		line := strings.Repeat("x", 65536+over)
		r := buffered.NewReceiver(&script{chunks: []string{line, "\n"}}, nil)
		got, err := r.ReceiveUntil(t.Context(), []byte("\n"), 0)
		if over == 0 {
			require.NoError(t, err)
			assert.Len(t, got, 65536)
			continue
		}
		require.ErrorAs(t, err, new(*buffered.DelimiterNotFoundError))
		assert.EqualError(t, err, `buffered: no delimiter "\n" within 65536 bytes`)
		assert.Equal(t, 65537, r.Buffered(), "and everything is in the buffer")
	}
}

func TestALineWithoutEndStopsAtTheLimit(t *testing.T) {
	for readAhead, most := range map[int]int{0: 65536, 4096: 4096, 100: 100, -1: 1} {
		r := buffered.NewReceiver(lines(1<<20), &buffered.Config{ReadAhead: readAhead}) // for ever, and no NUL in it
		_, err := r.ReceiveUntil(t.Context(), []byte{0}, 10000)
		require.ErrorAs(t, err, new(*buffered.DelimiterNotFoundError))
		assert.Less(t, r.Buffered(), 10000+1+most)
	}
}

func TestBadArgumentsOfReceiveUntil(t *testing.T) {
	r := buffered.NewReceiver(&script{}, nil)
	_, err := r.ReceiveUntil(canceled(t), nil, 0)
	assert.EqualError(t, err, "buffered: empty delimiter")
	_, err = r.ReceiveUntil(canceled(t), []byte("\n"), -1)
	assert.EqualError(t, err, "buffered: negative count")
}

func TestACanceledReceiveUntilGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, nil)
		s := buffered.New(a, nil)
		for i := range 9 {
			send(t, b, "12345\r\n67890"[i:i+1])
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { // ends with the cancellation, or with the delimiter
				line, err := s.ReceiveUntil(ctx, []byte("\r\n"), 5)
				if err == nil {
					assert.Equal(t, "12345", string(line))
				}
				done <- err
			}()
			synctest.Wait()
			cancel()
			err := <-done
			if i == 6 {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, i+1, s.Buffered())
		}
	})
}

func TestAnotherDelimiterIsLookedForFromTheStart(t *testing.T) {
	r := buffered.NewReceiver(&script{chunks: []string{"a;b,c"}}, nil)
	_, err := r.ReceiveUntil(t.Context(), []byte("\n"), 0)
	require.Equal(t, io.ErrUnexpectedEOF, err)
	got, err := r.ReceiveUntil(t.Context(), []byte(";"), 0)
	require.NoError(t, err)
	assert.Equal(t, "a", string(got))
	_, err = r.ReceiveUntil(t.Context(), []byte("\n"), 0)
	require.Equal(t, io.ErrUnexpectedEOF, err)
	require.NoError(t, r.Feed([]byte("x\ny")))
	got, err = r.ReceiveUntil(t.Context(), []byte("\n"), 0)
	require.NoError(t, err)
	assert.Equal(t, "x", string(got), "what was fed has to be looked at")
}

func TestUntilYieldsEveryPiece(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
		err  error
	}{
		{"", nil, nil},
		{"a,,bc,", []string{"a", "", "bc"}, nil},
		{"a,bc", []string{"a"}, io.ErrUnexpectedEOF},
	} {
		r := buffered.NewReceiver(&script{chunks: strings.SplitAfter(tt.in, "")[:len(tt.in)]}, nil)
		var got []string
		var last error
		for piece, err := range r.Until(t.Context(), []byte(","), 10) {
			require.NoError(t, last, "an error is the last pair")
			if last = err; err == nil {
				got = append(got, string(piece))
			}
		}
		assert.Equal(t, tt.want, got)
		assert.Equal(t, tt.err, last)
	}
}

func TestWhatUntilReadAheadStays(t *testing.T) {
	r := buffered.NewReceiver(&script{chunks: []string{"a,b,c,"}}, nil)
	for piece, err := range r.Until(t.Context(), []byte(","), 0) {
		require.NoError(t, err)
		if string(piece) == "b" {
			break
		}
	}
	assert.Equal(t, 2, r.Buffered())
	require.NoError(t, r.Close())
	for _, err := range r.Until(t.Context(), []byte(","), 0) {
		assert.Equal(t, net.ErrClosed, err)
	}
}

// A view is good until the next receiving call, whatever else happens.
func TestAViewOutlivesCloseAndDetach(t *testing.T) {
	for _, end := range []func(*buffered.Receiver){
		func(r *buffered.Receiver) { r.Close() },
		func(r *buffered.Receiver) { r.Abort(nil) },
		func(r *buffered.Receiver) { r.Detach() },
	} {
		r := buffered.NewReceiver(&script{chunks: []string{"view\n"}}, nil)
		line, err := r.ReceiveUntil(t.Context(), []byte("\n"), 0)
		require.NoError(t, err)
		end(r)
		for range 10 { // whoever gets buffers now must not get this one
			other := buffered.NewReceiver(&script{chunks: []string{"xxxxxxx\n"}}, nil)
			_, err := other.Peek(t.Context(), 1)
			require.NoError(t, err)
		}
		assert.Equal(t, "view", string(line))
	}
}
