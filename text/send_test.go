package text_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/text"
)

func TestTheWire(t *testing.T) {
	for _, tt := range []struct {
		name string
		enc  encoding.Encoding
		in   []string
		want []string
	}{
		{"UTF-8", nil, []string{"a", "\u20ac"}, []string{"a", "\xe2\x82\xac"}},
		{"UTF-8 with a mark", unicode.UTF8BOM, []string{"", "a", "b"}, []string{"", "\xef\xbb\xbfa", "b"}},
		{"UTF-16 with a mark", utf16le, []string{"", "a", "b"}, []string{"", "\xff\xfea\x00", "b\x00"}},
		{"UTF-16 without", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), []string{"a"}, []string{"\x00a"}},
		{"Latin-1", charmap.ISO8859_1, []string{"\u00e9"}, []string{"\xe9"}},
		{"ISO-2022-JP", japanese.ISO2022JP, []string{"a\u3053", "\u3093"}, []string{"a\x1b$B$3", "$s", "\x1b(B"}},
	} {
		w := &wire{}
		s := text.NewSender(w, &text.Config{Encoding: tt.enc})
		for _, in := range tt.in {
			require.NoError(t, s.Send(t.Context(), in))
		}
		require.NoError(t, s.SendEOF(t.Context()))
		require.NoError(t, s.SendEOF(t.Context()))
		assert.Equal(t, tt.want, withoutLastEmpty(w.sent), tt.name)
		assert.Equal(t, net.ErrClosed, s.Send(t.Context(), "more"))
	}
}

func withoutLastEmpty(s []string) []string {
	if len(s) > 0 && s[len(s)-1] == "" {
		return s[:len(s)-1]
	}
	return s
}

func TestWhatCannotBeEncoded(t *testing.T) {
	for _, tt := range []struct {
		name    string
		enc     encoding.Encoding
		in      string
		rune    rune
		offset  int
		replace string
		ignore  string
	}{
		{"not UTF-8", nil, "ab\xff\xfecd", utf8.RuneError, 2, "ab\ufffdcd", "abcd"},
		{"not UTF-8, for Latin-1", charmap.ISO8859_1, "ab\xffcd", utf8.RuneError, 2, "ab?cd", "abcd"},
		{"not UTF-8, for UTF-16", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), "\xff", utf8.RuneError, 0, "\xff\xfd", ""},
		{"not Latin-1", charmap.ISO8859_1, "\u00e9\u20ac!", '\u20ac', 2, "\xe9?!", "\xe9!"},
		{"the last", charmap.ISO8859_1, "a\u20ac", '\u20ac', 1, "a?", "a"},
		{"nothing else", charmap.ISO8859_1, "\u20ac\u20ac", '\u20ac', 0, "??", ""},
		{"not ISO-2022-JP", japanese.ISO2022JP, "\u3053\U0001f600\u3053", '\U0001f600', 3, "\x1b$B$3\x1b(B?\x1b$B$3", "\x1b$B$3\x1b(B\x1b$B$3"},
	} {
		w := &wire{}
		err := text.NewSender(w, &text.Config{Encoding: tt.enc}).Send(t.Context(), tt.in)
		bad, ok := errors.AsType[*text.EncodeError](err)
		require.True(t, ok, "%s: %v", tt.name, err)
		assert.Equal(t, tt.rune, bad.Rune, tt.name)
		assert.Equal(t, tt.offset, bad.Offset, tt.name)
		assert.Empty(t, w.sent, "%s: nothing of it may be sent", tt.name)

		require.NoError(t, text.NewSender(w, &text.Config{Encoding: tt.enc, Errors: text.Replace}).Send(t.Context(), tt.in))
		require.NoError(t, text.NewSender(w, &text.Config{Encoding: tt.enc, Errors: text.Ignore}).Send(t.Context(), tt.in))
		assert.Equal(t, []string{tt.replace, tt.ignore}, w.sent, tt.name)
	}
	err := text.NewSender(&wire{}, &text.Config{Encoding: charmap.ISO8859_1}).Send(t.Context(), "a\u20ac")
	assert.ErrorContains(t, err, "text: '\u20ac' at byte 1 of the string: ")
	err = text.NewSender(&wire{}, nil).Send(t.Context(), "\xff")
	assert.EqualError(t, err, "text: at byte 0 of the string: not UTF-8")
}

// What was not sent has not written the mark, nor shifted.
func TestAStringThatIsNotSentLeavesTheEncoderWhereItWas(t *testing.T) {
	w := &wire{}
	s := text.NewSender(w, &text.Config{Encoding: japanese.ISO2022JP})
	for _, in := range []string{"\u3053", "a\U0001f600", "\u3053", "\u3053\U0001f600", "a"} {
		err := s.Send(t.Context(), in)
		assert.Equal(t, strings.Contains(in, "\U0001f600"), err != nil)
	}
	assert.Equal(t, []string{"\x1b$B$3", "$3", "\x1b(Ba"}, w.sent)

	for _, enc := range []encoding.Encoding{utf16le, unicode.UTF8BOM} {
		w := &wire{}
		s := text.NewSender(w, &text.Config{Encoding: enc})
		for _, in := range []string{"a\xff", "b", "c\xff", "d"} {
			s.Send(t.Context(), in)
		}
		got, err := receiveAll(t, &text.Config{Encoding: enc}, w.sent...)
		assert.Equal(t, io.EOF, err)
		assert.Equal(t, "bd", got)
	}
}

func TestACanceledSendIsSentWholeOrNotAtAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := &text.Config{Encoding: utf16le}
		a, b := pipe(t, &memory.Config{Buffer: 6})
		s, peer := text.New(a, cfg), text.New(b, cfg)
		sendCanceled := func(in string) (err error) {
			ctx, cancel := context.WithCancel(t.Context())
			go func() { err = s.Send(ctx, in) }() // ends with the cancellation
			synctest.Wait()
			cancel()
			synctest.Wait()
			return err
		}
		err := sendCanceled("abcd") // the mark and ab fit
		assert.ErrorAs(t, err, new(*stream.PartialSendError))
		assert.ErrorIs(t, err, context.Canceled)
		err = sendCanceled("never")
		assert.ErrorIs(t, err, context.Canceled)
		_, partly := errors.AsType[*stream.PartialSendError](err)
		assert.False(t, partly)

		go func() { err = errors.Join(s.Send(t.Context(), "ef"), s.SendEOF(t.Context())) }() // ends when peer has received
		var got strings.Builder
		for part, err := range stream.Items(t.Context(), peer) {
			require.NoError(t, err)
			got.WriteString(part)
		}
		synctest.Wait()
		assert.NoError(t, err)
		assert.Equal(t, "abcdef", got.String())
	})
}

func TestAnEndThatIsCutShortIsFinishedNextTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := &text.Config{Encoding: japanese.ISO2022JP}
		a, b := pipe(t, &memory.Config{Buffer: 6})
		s := text.New(a, cfg)
		require.NoError(t, s.Send(t.Context(), "\u3053")) // 5 bytes
		ctx, cancel := context.WithCancel(t.Context())
		var err error
		go func() { err = s.SendEOF(ctx) }() // ends with the cancellation
		synctest.Wait()
		cancel()
		synctest.Wait()
		require.ErrorIs(t, err, context.Canceled)
		go func() { err = s.SendEOF(t.Context()) }() // ends when b has received
		all, readErr := io.ReadAll(stream.NewReader(t.Context(), b))
		synctest.Wait()
		require.NoError(t, readErr)
		require.NoError(t, err)
		assert.Equal(t, "\x1b$B$3\x1b(B", string(all))
	})
}

func TestFlushSendsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, &memory.Config{Buffer: 2})
		s := text.New(a, nil)
		ctx, cancel := context.WithCancel(t.Context())
		var err error
		go func() { err = s.Send(ctx, "abcd") }() // ends with the cancellation
		synctest.Wait()
		cancel()
		synctest.Wait()
		require.Error(t, err)
		go func() { err = s.Flush(t.Context()) }() // ends when b has received
		p := make([]byte, 4)
		require.NoError(t, buffered.NewReceiver(b, nil).ReceiveExactly(t.Context(), p))
		synctest.Wait()
		require.NoError(t, err)
		assert.Equal(t, "abcd", string(p))
	})
}
