package text_test

import (
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/strata-go/strata/text"
)

var encodings = []encoding.Encoding{
	nil, unicode.UTF8BOM, utf16le, utf16be, charmap.ISO8859_1, charmap.Windows1253,
	japanese.ShiftJIS, japanese.ISO2022JP, simplifiedchinese.GB18030, simplifiedchinese.HZGB2312, encoding.Replacement,
}

// FuzzDecode decodes any bytes: the result is UTF-8 and the same however they
// are cut, and plain UTF-8 is what the standard library takes for it.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("\xef\xbb\xbfa\xf0\x9f\x98\x80\xff"), byte(0), byte(0), 1)
	f.Add([]byte("\xff\xfea\x00\x3d\xd8\x00\xde\x00"), byte(2), byte(1), 3)
	f.Add([]byte("\x1b$B$3$s\x1b(B"), byte(7), byte(2), 2)
	f.Fuzz(func(t *testing.T, data []byte, enc, errs byte, step int) {
		if step < 1 || len(data) > 1<<12 {
			return
		}
		cfg := &text.Config{Encoding: encodings[int(enc)%len(encodings)], Errors: text.Errors(errs % 3)}
		got, err := receiveAll(t, cfg, string(data))
		require.True(t, utf8.ValidString(got))
		slowly, slowErr := receiveAll(t, cfg, cut(string(data), step)...)
		require.Equal(t, got, slowly)
		require.Equal(t, err, slowErr)
		if cfg.Encoding != nil {
			return
		}
		switch cfg.Errors {
		case text.Strict:
			require.Equal(t, utf8.Valid(data), err == io.EOF)
			require.True(t, strings.HasPrefix(string(data), got))
		case text.Replace:
			want, err := unicode.UTF8.NewDecoder().Bytes(data)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		case text.Ignore:
			require.Equal(t, strings.ToValidUTF8(string(data), ""), got)
		}
	})
}

// FuzzRoundTrip sends strings and receives them: what Strict lets pass comes
// back as it was.
func FuzzRoundTrip(f *testing.F) {
	f.Add("a\u20ac\U0001f600", "\u3053z", byte(2), 1)
	f.Add("\u3053\u3093", "a\xff", byte(7), 3)
	f.Add("~{", "~", byte(9), 2)
	f.Fuzz(func(t *testing.T, first, second string, enc byte, step int) {
		if step < 1 || len(first)+len(second) > 1<<12 {
			return
		}
		cfg := &text.Config{Encoding: encodings[int(enc)%(len(encodings)-1)]}
		w := &wire{}
		s := text.NewSender(w, cfg)
		var want string
		for _, in := range []string{first, second} {
			if s.Send(t.Context(), in) == nil {
				want += in
			}
		}
		require.NoError(t, s.SendEOF(t.Context()))
		if cfg.Encoding != nil && (want == "" || strings.ContainsRune(want, utf8.RuneError) || !reversible(cfg, want)) {
			return
		}
		got, err := receiveAll(t, cfg, cut(strings.Join(w.sent, ""), step)...)
		require.Equal(t, io.EOF, err)
		require.Equal(t, want, got)
	})
}

// reversible reports whether the encoding itself, with no stream in between,
// brings s back: some map two characters to one.
func reversible(cfg *text.Config, s string) bool {
	raw, err := cfg.Encoding.NewEncoder().String(s)
	if err != nil {
		return false
	}
	back, err := cfg.Encoding.NewDecoder().String(raw)
	return err == nil && back == s
}
