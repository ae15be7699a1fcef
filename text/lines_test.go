package text_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/text"
)

// lines returns all lines and the last error.
func lines(ctx context.Context, r *text.Receiver, limit int) (all []string, last error) {
	for line, err := range r.Lines(ctx, limit) {
		if err != nil {
			return all, err
		}
		all = append(all, line)
	}
	return all, nil
}

func TestLinesEndWithLFOrCRLF(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"\n", []string{""}},
		{"a\nb\r\nc\n", []string{"a", "b", "c"}},
		{"a\r\r\n\rb\n", []string{"a\r", "\rb"}},
		{"a\nlast", []string{"a", "last"}},
		{"a\nlast\r", []string{"a", "last\r"}},
		{"\r\n\r\n", []string{"", ""}},
		{"\u20ac\u2028\u0085\n", []string{"\u20ac\u2028\u0085"}},
	} {
		for _, step := range []int{1, 2, 100} {
			got, err := lines(t.Context(), text.NewReceiver(&script{chunks: cut(tt.in, step)}, nil), 0)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got, "%q", tt.in)
		}
	}
}

func TestTheLimitOfALineIsExact(t *testing.T) {
	for _, end := range []string{"\n", "\r\n", ""} {
		for length := range 8 {
			for limit := 1; limit < 8; limit++ {
				in := strings.Repeat("x", length) + end
				r := text.NewReceiver(&script{chunks: cut("first\n"+in, 3)}, nil)
				for line := range r.Lines(t.Context(), 5) {
					require.Equal(t, "first", line)
					break
				}
				got, err := lines(t.Context(), r, limit)
				if length <= limit {
					require.NoError(t, err, "%q within %d", in, limit)
					require.Equal(t, strings.Repeat("x", length), strings.Join(got, ""))
					continue
				}
				tooLong, ok := errors.AsType[*text.LineTooLongError](err)
				require.True(t, ok, "%q within %d: %v", in, limit, err)
				require.Equal(t, limit, tooLong.Max)
				again, err := lines(t.Context(), r, length)
				require.NoError(t, err)
				require.Equal(t, []string{strings.Repeat("x", length)}, again, "nothing of it was taken")
			}
		}
	}
}

func TestTheDefaultLimitOfALineIs64KiB(t *testing.T) {
	line := strings.Repeat("x", 65536)
	got, err := lines(t.Context(), text.NewReceiver(&script{chunks: []string{line + "\r\n"}}, nil), 0)
	require.NoError(t, err)
	assert.Len(t, got, 1)
	_, err = lines(t.Context(), text.NewReceiver(&script{chunks: []string{line + "x\n"}}, nil), 0)
	assert.EqualError(t, err, "text: line of more than 65536 bytes")
	_, err = lines(t.Context(), text.NewReceiver(&script{}, nil), -1)
	assert.Error(t, err)
}

func TestWhatLinesReadAheadStays(t *testing.T) {
	r := text.NewReceiver(&script{chunks: []string{"one\ntwo\nthree"}}, nil)
	for line, err := range r.Lines(t.Context(), 0) {
		require.NoError(t, err)
		assert.Equal(t, "one", line)
		break
	}
	rest, err := r.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "two\nthree", rest)
}

func TestLinesBeforeInvalidBytesAreYielded(t *testing.T) {
	r := text.NewReceiver(&script{chunks: []string{"one\ntw\xff\n"}}, nil)
	got, err := lines(t.Context(), r, 0)
	assert.Equal(t, []string{"one"}, got)
	assert.ErrorAs(t, err, new(*text.DecodeError))
	rest, err := r.Receive(t.Context())
	require.NoError(t, err, "the text before them too")
	assert.Equal(t, "tw", rest)

	got, err = lines(t.Context(), text.NewReceiver(&script{chunks: []string{"one\ntw\xc3"}}, nil), 0)
	assert.Equal(t, []string{"one"}, got, "a cut off character is not the end of a last line")
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestLinesOfAClosedOrCanceledStream(t *testing.T) {
	r := text.NewReceiver(&script{chunks: []string{"one\ntwo\n"}}, nil)
	for range r.Lines(t.Context(), 0) {
		break
	}
	_, err := lines(canceled(t), r, 0)
	assert.ErrorIs(t, err, context.Canceled)
	require.NoError(t, r.Close())
	_, err = lines(t.Context(), r, 0)
	assert.Equal(t, net.ErrClosed, err)
	_, err = r.Receive(t.Context())
	assert.Equal(t, net.ErrClosed, err)
}
