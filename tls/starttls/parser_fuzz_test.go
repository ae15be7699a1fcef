package starttls_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls/starttls"
)

// whole returns a stream from which data comes in one piece, and pieces one from which
// each Receive returns a few bytes.
func whole(t *testing.T, data []byte) stream.ByteStream {
	t.Helper()
	ours, theirs := memory.Pipe(&memory.Config{Buffer: 1 << 20})
	_, err := theirs.Send(context.Background(), data)
	require.NoError(t, err)
	require.NoError(t, theirs.SendEOF(context.Background()))
	t.Cleanup(func() {
		ours.Close()
		theirs.Close()
	})
	return ours
}

func pieces(t *testing.T, data []byte) stream.ByteStream { return &drops{whole(t, data)} }

type drops struct{ stream.ByteStream }

func (d *drops) Receive(ctx context.Context, p []byte) (int, error) {
	return d.ByteStream.Receive(ctx, p[:min(len(p), 3)])
}

// FuzzXMLElement receives an element from any bytes: it is what they begin with, the same
// however they are cut, and encoding/xml takes it for one element as well.
func FuzzXMLElement(f *testing.F) {
	f.Add([]byte("<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"))
	f.Add([]byte("<a b='>' c=\"'>\">text<d/></a><e>"))
	f.Add([]byte("<a><!-- --></a>"))
	f.Add([]byte("<a>&lt;</b>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			t.Skip()
		}
		ctx := context.Background()
		element, unread, err := starttls.XMLElement(ctx, whole(t, data))
		again, _, againErr := starttls.XMLElement(ctx, pieces(t, data))
		require.Equal(t, element, again)
		require.Equal(t, err == nil, againErr == nil)
		if err != nil {
			return
		}
		require.Equal(t, string(data[:len(data)-unread]), element, "nothing past the element, nothing left out")
		require.Equal(t, 1, elements(element), "%q", element)
	})
}

// elements counts the elements that a document of well-formed XML has at its top; 1 where
// it is not, since our receiver only tells where one ends.
func elements(document string) int {
	d := xml.NewDecoder(strings.NewReader(document))
	depth, n := 0, 0
	for {
		token, err := d.Token()
		if err != nil && depth > 0 || err != nil && n == 0 {
			return 1
		}
		if err != nil {
			return n
		}
		switch token.(type) {
		case xml.StartElement:
			if depth == 0 {
				n++
			}
			depth++
		case xml.EndElement:
			depth--
		}
	}
}

// FuzzLDAPResult receives any bytes as a response: the result is the same however they
// are cut, and what was encoded comes out again.
func FuzzLDAPResult(f *testing.F) {
	f.Add([]byte(ldapYes), uint8(0), "", "")
	f.Add([]byte("\x30\x84\x00\x00\x00\x1c\x02\x01\x01\x78\x84\x00\x00\x00\x13\x0a\x01\x02\x04\x84\x00\x00\x00\x00\x04\x84\x00\x00\x00\x04evil"), uint8(2), "dc=x", "evil")
	f.Add([]byte("\x30\x80\x02\x01\x01\x00\x00"), uint8(127), "", strings.Repeat("x", 200))
	f.Fuzz(func(t *testing.T, data []byte, code uint8, dn, text string) {
		if len(data)+len(dn)+len(text) > 8000 {
			t.Skip()
		}
		ctx := context.Background()
		got, diagnostic, unread, err := starttls.LDAPResult(ctx, whole(t, data))
		again, diagnosticAgain, _, againErr := starttls.LDAPResult(ctx, pieces(t, data))
		require.Equal(t, err == nil, againErr == nil)
		require.Equal(t, got, again)
		require.Equal(t, diagnostic, diagnosticAgain)
		if err == nil {
			require.Contains(t, string(data[:len(data)-unread]), diagnostic)
		}

		code &= 0x7f // an enumerated value is signed
		encoded := ldapResponse(code, dn, text)
		got, diagnostic, unread, err = starttls.LDAPResult(ctx, whole(t, append(encoded, data...)))
		require.NoError(t, err)
		assert.EqualValues(t, code, got)
		assert.Equal(t, text, diagnostic)
		assert.Equal(t, len(data), unread)
	})
}

func ldapResponse(code uint8, dn, text string) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(asn1.Tag(0x78), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.ENUM, func(b *cryptobyte.Builder) { b.AddUint8(code) })
			b.AddASN1OctetString([]byte(dn))
			b.AddASN1OctetString([]byte(text))
		})
	})
	return b.BytesOrPanic()
}

// FuzzMySQLGreeting takes any bytes apart, and wants the parts in them; one with the same
// parts comes out as it went in.
func FuzzMySQLGreeting(f *testing.F) {
	f.Add([]byte(mysqlGreeting(true)[4:]))
	f.Add([]byte("\x0a3.23.1\x00\x07\x00\x00\x00abcdefgh\x00\x00\x00"))
	f.Add([]byte("\x0a\x00\x07\x00\x00\x00abcdefgh\x00\xff\xff\x00\x00\x00\xff\xff\xff" + strings.Repeat("\x00", 300)))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, ok := starttls.ParseMySQLGreeting(data)
		if !ok {
			return
		}
		require.Equal(t, data, g.Raw)
		for _, part := range [][]byte{[]byte(g.ServerVersion), []byte(g.AuthPlugin), g.AuthData[:8], g.AuthData[8:]} {
			require.True(t, bytes.Contains(data, part), "%q", part)
		}
		encoded := append([]byte{10}, g.ServerVersion...)
		encoded = binary.LittleEndian.AppendUint32(append(encoded, 0), g.ConnectionID)
		encoded = append(append(encoded, g.AuthData[:8]...), 0)
		encoded = binary.LittleEndian.AppendUint16(encoded, uint16(g.Capabilities))
		require.True(t, bytes.HasPrefix(data, encoded[:len(encoded)-3]))
		require.Equal(t, data[len(encoded)-2:len(encoded)], encoded[len(encoded)-2:])
	})
}

// FuzzCodedReply receives a reply of SMTP or FTP from any bytes: it is the same however
// they are cut, and ends with a line.
func FuzzCodedReply(f *testing.F) {
	f.Add([]byte("250-mail.example\r\n250-SIZE 100\r\n250 STARTTLS\r\n354 more"), false)
	f.Add([]byte("211-features\r\n MDTM\r\n211 is not the end\r\n211 end\r\n"), true)
	f.Add([]byte("220\r\n"), true)
	f.Fuzz(func(t *testing.T, data []byte, bare bool) {
		if len(data) > 1<<14 {
			t.Skip()
		}
		ctx := context.Background()
		reply, unread, err := starttls.Coded(ctx, whole(t, data), bare)
		again, _, againErr := starttls.Coded(ctx, pieces(t, data), bare)
		require.Equal(t, err == nil, againErr == nil)
		require.Equal(t, reply, again)
		if err != nil {
			return
		}
		taken := data[:len(data)-unread]
		require.True(t, bytes.HasSuffix(taken, []byte("\r\n")))
		require.True(t, bytes.HasPrefix(taken, []byte(reply[:3])))
	})
}
