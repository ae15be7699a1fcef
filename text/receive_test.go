package text_test

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
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/text"
)

var (
	utf16le = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	utf16be = unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM)
)

// receiveAll receives until an error.
func receiveAll(t *testing.T, cfg *text.Config, chunks ...string) (string, error) {
	t.Helper()
	r := text.NewReceiver(&script{chunks: chunks}, cfg)
	var all strings.Builder
	for {
		s, err := r.Receive(t.Context())
		if err != nil {
			_, again := r.Receive(t.Context())
			require.Equal(t, err, again, "an error stays")
			return all.String(), err
		}
		require.NotEmpty(t, s)
		all.WriteString(s)
	}
}

func TestTextIsDecodedWhereverItIsCut(t *testing.T) {
	const sample = "a\u00e9\u20ac\U0001f600z\n\u0416"
	for _, tt := range []struct {
		name string
		enc  encoding.Encoding
		text string
	}{
		{"UTF-8", nil, sample},
		{"UTF-8 by name", unicode.UTF8, sample},
		{"UTF-8 with a mark", unicode.UTF8BOM, sample},
		{"UTF-16 little", utf16le, sample},
		{"UTF-16 big", utf16be, sample},
		{"Latin-1", charmap.ISO8859_1, "a\u00e9z\u00ff"},
		{"KOI8-R", charmap.KOI8R, "\u041f\u0440\u0438\u0432\u0435\u0442"},
		{"Shift JIS", japanese.ShiftJIS, "\u3053\u3093a\uff76"},
		{"ISO-2022-JP", japanese.ISO2022JP, "a\u3053\u3093b\u306b"},
		{"GB18030", simplifiedchinese.GB18030, "\u4f60\U0001f600a"},
	} {
		for _, errs := range []text.Errors{text.Strict, text.Replace, text.Ignore} {
			cfg := &text.Config{Encoding: tt.enc, Errors: errs}
			w := &wire{}
			s := text.NewSender(w, cfg)
			require.NoError(t, s.Send(t.Context(), tt.text))
			require.NoError(t, s.SendEOF(t.Context()))
			raw := strings.Join(w.sent, "")
			for i := range raw {
				for j := i; j <= min(i+3, len(raw)); j++ {
					got, err := receiveAll(t, cfg, raw[:i], raw[i:j], raw[j:])
					require.Equal(t, io.EOF, err, "%s cut at %d and %d", tt.name, i, j)
					require.Equal(t, tt.text, got, "%s cut at %d and %d", tt.name, i, j)
				}
			}
		}
	}
}

func TestInvalidBytes(t *testing.T) {
	for _, tt := range []struct {
		name    string
		enc     encoding.Encoding
		in      string
		before  string // the text before the error
		replace string
		ignore  string
	}{
		{"no start byte", nil, "ab\xffcd", "ab", "ab\ufffdcd", "abcd"},
		{"a lone continuation", nil, "ab\x80cd", "ab", "ab\ufffdcd", "abcd"},
		{"three of them", nil, "\x80\x81\x82", "", "\ufffd\ufffd\ufffd", ""},
		{"a character cut by another", nil, "\xf0\x9f\x98a", "", "\ufffda", "a"},
		{"overlong", nil, "a\xc0\xafb", "a", "a\ufffd\ufffdb", "ab"},
		{"a surrogate", nil, "\xed\xa0\x80b", "", "\ufffd\ufffd\ufffdb", "b"},
		{"beyond Unicode", nil, "\xf4\x90\x80\x80", "", "\ufffd\ufffd\ufffd\ufffd", ""},
		{"behind a mark", unicode.UTF8BOM, "\xef\xbb\xbfa\xff", "a", "a\ufffd", "a"},
		{"a lone surrogate in UTF-16", utf16le, "a\x00\x00\xd8b\x00", "a", "a\ufffdb", "ab"},
		{"no such byte in Windows-1253", charmap.Windows1253, "a\xffb", "a", "a\ufffdb", "ab"},
		{"half a character in Shift JIS", japanese.ShiftJIS, "a\x82\x20b", "a", "", ""},
	} {
		for _, step := range []int{1, 2, len(tt.in)} {
			chunks := cut(tt.in, step)
			got, err := receiveAll(t, &text.Config{Encoding: tt.enc}, chunks...)
			assert.Equal(t, tt.before, got, tt.name)
			bad, ok := errors.AsType[*text.DecodeError](err)
			require.True(t, ok, "%s: %v", tt.name, err)
			assert.EqualValues(t, len(tt.before), bad.Offset, tt.name)
			assert.NotErrorIs(t, err, io.ErrUnexpectedEOF, tt.name)
			assert.NotErrorIs(t, err, io.EOF)
			if tt.replace == "" {
				continue
			}
			got, err = receiveAll(t, &text.Config{Encoding: tt.enc, Errors: text.Replace}, cut(tt.in, step)...)
			assert.Equal(t, io.EOF, err, tt.name)
			assert.Equal(t, tt.replace, got, tt.name)
			got, err = receiveAll(t, &text.Config{Encoding: tt.enc, Errors: text.Ignore}, cut(tt.in, step)...)
			assert.Equal(t, io.EOF, err, tt.name)
			assert.Equal(t, tt.ignore, got, tt.name)
		}
	}
}

// cut cuts s into pieces of n bytes.
func cut(s string, n int) (chunks []string) {
	for len(s) > n {
		chunks, s = append(chunks, s[:n]), s[n:]
	}
	return append(chunks, s)
}

func TestACharacterCutOffByTheEnd(t *testing.T) {
	for _, tt := range []struct {
		name    string
		enc     encoding.Encoding
		in      string
		replace string
	}{
		{"one byte of two", nil, "a\xc3", "a\ufffd"},
		{"two of three", nil, "a\xe2\x82", "a\ufffd"},
		{"three of four", nil, "a\xf0\x9f\x98", "a\ufffd"},
		{"an odd byte of UTF-16", utf16le, "a\x00b", "a\ufffd"},
		{"half a pair of UTF-16", utf16le, "a\x00\x3d\xd8", "a\ufffd"},
		{"a lead byte of Shift JIS", japanese.ShiftJIS, "a\x82", "a\ufffd"},
	} {
		for _, chunks := range [][]string{{tt.in}, cut(tt.in, 1)} {
			got, err := receiveAll(t, &text.Config{Encoding: tt.enc}, chunks...)
			assert.Equal(t, "a", got, tt.name)
			assert.ErrorIs(t, err, io.ErrUnexpectedEOF, tt.name)
			assert.ErrorAs(t, err, new(*text.DecodeError), tt.name)
		}
		got, err := receiveAll(t, &text.Config{Encoding: tt.enc, Errors: text.Replace}, tt.in)
		assert.Equal(t, io.EOF, err, tt.name)
		assert.Equal(t, tt.replace, got, tt.name)
		got, err = receiveAll(t, &text.Config{Encoding: tt.enc, Errors: text.Ignore}, tt.in)
		assert.Equal(t, io.EOF, err, tt.name)
		assert.Equal(t, "a", got, tt.name)
	}
}

func TestAMarkIsRemovedOnce(t *testing.T) {
	for _, tt := range []struct {
		name string
		enc  encoding.Encoding
		in   string
		want string
	}{
		{"UTF-8 leaves it", nil, "\ufeffa", "\ufeffa"},
		{"UTF8BOM", unicode.UTF8BOM, "\ufeff\ufeffa\ufeff", "\ufeffa\ufeff"},
		{"UTF8BOM without", unicode.UTF8BOM, "a\ufeff", "a\ufeff"},
		{"UTF8BOM with a part of it", unicode.UTF8BOM, "\xef\xbb\xbe", "\ufefe"},
		{"UTF-16", utf16le, "\xff\xfea\x00\xff\xfe", "a\ufeff"},
		{"UTF-16 of the other order", utf16le, "\xfe\xff\x00a", "a"},
		{"UTF-16 without", utf16le, "a\x00", "a"},
	} {
		for _, step := range []int{1, 100} {
			got, err := receiveAll(t, &text.Config{Encoding: tt.enc}, cut(tt.in, step)...)
			assert.Equal(t, io.EOF, err, tt.name)
			assert.Equal(t, tt.want, got, tt.name)
		}
	}
	for _, in := range []string{"", "a\x00b\x00"} {
		_, err := receiveAll(t, &text.Config{Encoding: utf16be}, in)
		assert.ErrorIs(t, err, unicode.ErrMissingBOM, "%q", in)
	}
}

// U+FFFD is a character like others where bytes are checked, and cannot be
// told from its own mistakes where a decoder only replaces.
func TestAReplacementCharacterThatWasSent(t *testing.T) {
	got, err := receiveAll(t, nil, "a\ufffdb")
	assert.Equal(t, io.EOF, err)
	assert.Equal(t, "a\ufffdb", got)
	got, err = receiveAll(t, &text.Config{Encoding: utf16le}, "a\x00\xfd\xff")
	assert.Error(t, err)
	assert.Equal(t, "a", got)
}

func TestReceiveReturnsWholeCharactersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, nil)
		s := text.New(a, nil)
		send := func(p string) {
			_, err := b.Send(t.Context(), []byte(p))
			require.NoError(t, err)
		}
		send("ab\xe2\x82")
		got, err := s.Receive(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "ab", got)

		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, err = s.Receive(ctx) }() // ends with the cancellation
		synctest.Wait()
		cancel()
		synctest.Wait()
		require.ErrorIs(t, err, context.Canceled)

		send("\xacc")
		got, err = s.Receive(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "\u20acc", got, "the half character was kept")
	})
}

func TestLongTextArrivesWhole(t *testing.T) {
	line := strings.Repeat("\u65e5\u672ca", 20_000)
	for _, enc := range []encoding.Encoding{nil, utf16le, japanese.EUCJP} {
		cfg := &text.Config{Encoding: enc}
		w := &wire{}
		require.NoError(t, text.NewSender(w, cfg).Send(t.Context(), line))
		got, err := receiveAll(t, cfg, w.sent...)
		require.Equal(t, io.EOF, err)
		require.True(t, got == line)
	}
	got, err := receiveAll(t, &text.Config{Errors: text.Replace}, strings.Repeat("\xff", 20_000))
	require.Equal(t, io.EOF, err)
	require.True(t, got == strings.Repeat("\ufffd", 20_000))
}

func TestUnreadCountsEveryByteThatNobodyTook(t *testing.T) {
	a, b := pipe(t, nil)
	s := text.New(a, nil)
	_, err := b.Send(t.Context(), []byte("line\nx\xc3"))
	require.NoError(t, err)
	for line, err := range s.Lines(t.Context(), 0) {
		require.NoError(t, err)
		assert.Equal(t, "line", line)
		break
	}
	sum := 0
	for n, err := range stream.Unread.All(s) {
		require.NoError(t, err)
		sum += n
	}
	assert.Equal(t, 2, sum, "one character, and half of another")
	require.NoError(t, s.Close())
	for _, err := range stream.Unread.All(s) {
		assert.Equal(t, net.ErrClosed, err)
	}
}

func TestAttributesPassThrough(t *testing.T) {
	a, _ := pipe(t, nil)
	names := func(p attr.Provider) (all []string) {
		for e := range attr.All(p) {
			if e.Name() != stream.Unread.Name() {
				all = append(all, e.Name())
			}
		}
		return all
	}
	want := names(a)
	require.NotEmpty(t, want)
	assert.Equal(t, want, names(text.New(a, nil)))
	assert.Equal(t, want, names(text.NewReceiver(a, nil)))
	assert.Equal(t, want, names(text.NewSender(a, nil)))
}

func TestReceivingCallsAreOneDirection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, nil)
		s := text.New(a, nil)
		var err error
		go func() { _, err = s.Receive(t.Context()) }() // ends when b sends
		synctest.Wait()
		_, busy := s.Receive(t.Context())
		assert.Equal(t, stream.ErrBusy, busy)
		for _, busy := range s.Lines(t.Context(), 0) {
			assert.Equal(t, stream.ErrBusy, busy)
		}
		require.NoError(t, text.New(b, nil).Send(t.Context(), "x"))
		synctest.Wait()
		assert.NoError(t, err)
	})
}

func TestNilIsRefusedByName(t *testing.T) {
	assert.PanicsWithValue(t, "text: New: nil s", func() { text.New(nil, nil) })
	assert.PanicsWithValue(t, "text: NewReceiver: nil r", func() { text.NewReceiver(nil, nil) })
	assert.PanicsWithValue(t, "text: NewSender: nil s", func() { text.NewSender(nil, nil) })
	assert.PanicsWithValue(t, "text: NewConnector: nil c", func() { text.NewConnector[*memory.Conn](nil, nil) })
}
