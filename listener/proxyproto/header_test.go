package proxyproto_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/listener/proxyproto"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

const (
	signature = "0d0a0d0a000d0a515549540a "
	client4   = "c0000201 " // 192.0.2.1
	server4   = "cb007102 " // 203.0.113.2
	ports     = "dd54 01bb "
)

// The headers that both sides of the protocol know, as they are sent.
var golden = []struct {
	name   string
	wire   func(t testing.TB) string
	header proxyproto.Header
}{
	{
		"v1 TCP4", plain("PROXY TCP4 192.0.2.1 203.0.113.2 56660 443\r\n"),
		proxyproto.Header{Version: 1, Source: tcpAddr("192.0.2.1:56660"), Destination: tcpAddr("203.0.113.2:443")},
	},
	{
		"v1 TCP6", plain("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n"),
		proxyproto.Header{Version: 1, Source: tcpAddr("[2001:db8::1]:0"), Destination: tcpAddr("[::1]:65535")},
	},
	{"v1 unknown", plain("PROXY UNKNOWN\r\n"), proxyproto.Header{Version: 1}},
	{
		"v2 TCP over IPv4", digits(signature + "21 11 000c" + client4 + server4 + ports),
		proxyproto.Header{Version: 2, Source: tcpAddr("192.0.2.1:56660"), Destination: tcpAddr("203.0.113.2:443")},
	},
	{
		"v2 UDP over IPv4", digits(signature + "21 12 000c" + client4 + server4 + ports),
		proxyproto.Header{Version: 2, Source: udpAddr("192.0.2.1:56660"), Destination: udpAddr("203.0.113.2:443")},
	},
	{
		"v2 TCP over IPv6",
		digits(signature + "21 21 0024 20010db8000000000000000000000001 00000000000000000000000000000001" + ports),
		proxyproto.Header{Version: 2, Source: tcpAddr("[2001:db8::1]:56660"), Destination: tcpAddr("[::1]:443")},
	},
	{
		"v2 UDP over IPv6",
		digits(signature + "21 22 0024 20010db8000000000000000000000001 00000000000000000000000000000001" + ports),
		proxyproto.Header{Version: 2, Source: udpAddr("[2001:db8::1]:56660"), Destination: udpAddr("[::1]:443")},
	},
	{
		"v2 of two families",
		digits(signature + "21 21 0024 00000000000000000000ffffc0000201 00000000000000000000000000000001" + ports),
		proxyproto.Header{Version: 2, Source: tcpAddr("192.0.2.1:56660"), Destination: tcpAddr("[::1]:443")},
	},
	{
		"v2 Unix stream", digits(signature + "21 31 00d8" + path("2f61") + path("2f62")),
		proxyproto.Header{Version: 2, Source: unixAddr("/a"), Destination: unixAddr("/b")},
	},
	{
		"v2 Unix datagrams, unnamed and abstract", digits(signature + "21 32 00d8" + path("") + path("0061")),
		proxyproto.Header{
			Version: 2,
			Source:  &net.UnixAddr{Net: "unixgram"}, Destination: &net.UnixAddr{Net: "unixgram", Name: "@a"},
		},
	},
	{"v2 local", digits(signature + "20 00 0000"), proxyproto.Header{Version: 2, Local: true}},
	{"v2 of unknown origin", digits(signature + "21 00 0000"), proxyproto.Header{Version: 2}},
	{
		"v2 with TLVs of which nobody knows the type", digits(signature + "21 11 0015" + client4 + server4 + ports + "e0 0003 616263 ef 0000"),
		proxyproto.Header{
			Version: 2, Source: tcpAddr("192.0.2.1:56660"), Destination: tcpAddr("203.0.113.2:443"),
			TLVs: []proxyproto.TLV{{Type: 0xe0, Value: []byte("abc")}, {Type: 0xef, Value: []byte{}}},
		},
	},
}

func plain(s string) func(testing.TB) string { return func(testing.TB) string { return s } }

func digits(s string) func(testing.TB) string {
	return func(t testing.TB) string { return unhex(t, s) }
}

// path fills one up to the 108 bytes that it has in a header.
func path(digits string) string { return digits + strings.Repeat("00", 108-len(digits)/2) }

func TestGoldenHeadersAreReceived(t *testing.T) {
	for _, tt := range golden {
		t.Run(tt.name, func(t *testing.T) {
			s, err := receive(t, tt.wire(t)+"payload")
			require.NoError(t, err)
			defer s.Close()
			h, err := proxyproto.Received.Get(s)
			require.NoError(t, err)
			if diff := cmp.Diff(&tt.header, h); diff != "" {
				t.Errorf("header mismatch (-want +got):\n%s", diff)
			}
			rest, err := io.ReadAll(stream.NewReader(t.Context(), s))
			require.NoError(t, err)
			assert.Equal(t, "payload", string(rest))
		})
	}
}

func TestGoldenHeadersAreSent(t *testing.T) {
	for _, tt := range golden {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.header.Append([]byte("before"))
			require.NoError(t, err)
			assert.Equal(t, "before"+tt.wire(t), string(got))
		})
	}
}

func TestHeaderMayComeInAnyPieces(t *testing.T) {
	for _, tt := range golden {
		wire := tt.wire(t) + "payload"
		for cut := 1; cut < len(wire); cut++ {
			synctest.Test(t, func(t *testing.T) {
				a, b := memory.Pipe(nil)
				defer a.Close()
				go func() {
					for _, piece := range []string{wire[:cut], wire[cut:]} {
						if _, err := a.Send(t.Context(), []byte(piece)); err != nil {
							t.Error(err)
						}
						synctest.Wait() // until the server waits for more
					}
				}()
				s, err := proxyproto.WrapServer(t.Context(), b, trusting)
				require.NoError(t, err, "%s cut at %d", tt.name, cut)
				defer s.Close()
				rest := make([]byte, len("payload"))
				require.NoError(t, s.ReceiveExactly(t.Context(), rest))
				assert.Equal(t, "payload", string(rest))
			})
		}
	}
}

func TestHeaderThatIsCutOffIsAnUnexpectedEnd(t *testing.T) {
	for _, tt := range golden {
		wire := tt.wire(t)
		for cut := 1; cut < len(wire); cut++ {
			_, err := receive(t, wire[:cut])
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%s cut at %d", tt.name, cut)
		}
	}
	_, err := receive(t, "")
	assert.ErrorIs(t, err, io.EOF)
}

func TestWhatIsNoHeaderIsRefused(t *testing.T) {
	v1 := func(line string) string { return "PROXY " + line + "\r\n" }
	v2 := func(s string) string { return unhex(t, signature+s) }
	tests := []struct {
		name, wire string
		version    int
		reason     string
	}{
		{"HTTP", "GET / HTTP/1.1\r\n\r\n", 0, "no header"},
		{"TLS", "\x16\x03\x01\x02\x00", 0, "no header"},
		{"an empty line of HTTP", "\r\nGET", 0, "no header"},
		{"lower case", "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n", 0, "no header"},
		{"nothing but the word", "PROXY\r\n", 0, "no header"},
		{"a blank before", " PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", 0, "no header"},

		{"protocol in lower case", v1("tcp4 192.0.2.1 192.0.2.2 1 2"), 1, "protocol"},
		{"unknown in lower case", v1("unknown"), 1, "fields"},
		{"a longer word", v1("UNKNOWNS"), 1, "fields"},
		{"UDP", v1("UDP4 192.0.2.1 192.0.2.2 1 2"), 1, "protocol"},
		{"two blanks behind the word", v1(" TCP4 192.0.2.1 192.0.2.2 1 2"), 1, "fields"},
		{"two blanks", v1("TCP4  192.0.2.1 192.0.2.2 1 2"), 1, "fields"},
		{"a tab", v1("TCP4\t192.0.2.1 192.0.2.2 1 2"), 1, "fields"},
		{"a blank at the end", v1("TCP4 192.0.2.1 192.0.2.2 1 2 "), 1, "fields"},
		{"too few fields", v1("TCP4 192.0.2.1 192.0.2.2 1"), 1, "fields"},
		{"too many fields", v1("TCP4 192.0.2.1 192.0.2.2 1 2 3"), 1, "fields"},
		{"no fields", v1(""), 1, "fields"},
		{"a zero before an octet", v1("TCP4 192.0.02.1 192.0.2.2 1 2"), 1, "address"},
		{"an octet of 256", v1("TCP4 192.0.2.256 192.0.2.2 1 2"), 1, "address"},
		{"three octets", v1("TCP4 192.0.2 192.0.2.2 1 2"), 1, "address"},
		{"hexadecimal octets", v1("TCP4 0xc0.0.2.1 192.0.2.2 1 2"), 1, "address"},
		{"a name", v1("TCP4 localhost 192.0.2.2 1 2"), 1, "address"},
		{"IPv6 in TCP4", v1("TCP4 2001:db8::1 192.0.2.2 1 2"), 1, "address"},
		{"IPv6 as the destination in TCP4", v1("TCP4 192.0.2.1 2001:db8::1 1 2"), 1, "address"},
		{"IPv4 in TCP6", v1("TCP6 192.0.2.1 2001:db8::1 1 2"), 1, "address"},
		{"IPv4 mapped", v1("TCP6 ::ffff:192.0.2.1 2001:db8::1 1 2"), 1, "address"},
		{"IPv4 mapped in digits", v1("TCP6 ::ffff:c000:201 2001:db8::1 1 2"), 1, "address"},
		{"IPv4 within IPv6", v1("TCP6 64:ff9b::192.0.2.1 2001:db8::1 1 2"), 1, "address"},
		{"brackets", v1("TCP6 [2001:db8::1] 2001:db8::1 1 2"), 1, "address"},
		{"a zone", v1("TCP6 fe80::1%eth0 2001:db8::1 1 2"), 1, "address"},
		{"two gaps", v1("TCP6 2001::db8::1 2001:db8::1 1 2"), 1, "address"},
		{"a zero before a port", v1("TCP4 192.0.2.1 192.0.2.2 01 2"), 1, "port"},
		{"port 65536", v1("TCP4 192.0.2.1 192.0.2.2 1 65536"), 1, "port"},
		{"a sign", v1("TCP4 192.0.2.1 192.0.2.2 +1 2"), 1, "port"},
		{"a negative port", v1("TCP4 192.0.2.1 192.0.2.2 -1 2"), 1, "port"},
		{"an underscore in a port", v1("TCP4 192.0.2.1 192.0.2.2 1_0 2"), 1, "port"},
		{"no port", v1("TCP4 192.0.2.1 192.0.2.2  2"), 1, "port"},
		{"LF alone", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n", 1, "LF without CR"},
		{"CR alone", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rGET", 1, "CR without LF"},
		{"108 bytes", v1("UNKNOWN " + strings.Repeat("x", 92)), 1, "no end within 107 bytes"},
		{"no end", "PROXY UNKNOWN " + strings.Repeat("x", 100), 1, "no end within 107 bytes"},

		{"version 1 in binary", v2("11 11 000c" + client4 + server4 + ports), 2, "version and command"},
		{"version 3", v2("31 11 000c" + client4 + server4 + ports), 2, "version and command"},
		{"command 2", v2("22 11 000c" + client4 + server4 + ports), 2, "version and command"},
		{"family 4", v2("21 41 000c" + client4 + server4 + ports), 2, "family and transport"},
		{"transport 3", v2("21 13 000c" + client4 + server4 + ports), 2, "family and transport"},
		{"a family without a transport", v2("21 10 000c" + client4 + server4 + ports), 2, "family and transport"},
		{"a transport without a family", v2("21 01 000c" + client4 + server4 + ports), 2, "family and transport"},
		{"too short for IPv4", v2("21 11 000b" + client4 + server4 + "dd54 01"), 2, "too few"},
		{"too short for IPv6", v2("21 21 000c" + client4 + server4 + ports), 2, "too few"},
		{"too short for Unix", v2("21 31 000c" + client4 + server4 + ports), 2, "too few"},
		{"no addresses", v2("21 11 0000"), 2, "too few"},
		{"half a TLV", v2("21 11 000e" + client4 + server4 + ports + "e0 00"), 2, "cut off"},
		{"a TLV past the end", v2("21 11 0011" + client4 + server4 + ports + "e0 0003 6162"), 2, "cut off"},
		{"a TLV past the end without addresses", v2("21 00 0003 e0 0003"), 2, "cut off"},
		{"a long unique ID", v2("21 00 0084 05 0081" + strings.Repeat("61", 129)), 2, "unique ID"},
		{"a wrong checksum", v2("21 00 0007 03 0004 01020304"), 2, "checksum"},
		{"a short checksum", v2("21 00 0006 03 0003 010203"), 2, "checksum"},
		{"a short TLS", v2("21 00 0007 20 0004 01000000"), 2, "cut off"},
		{"half a TLV within TLS", v2("21 00 000a 20 0007 0100000000 2100"), 2, "cut off"},
		{"a TLV past the end of TLS", v2("21 00 000b 20 0008 0100000000 210001"), 2, "cut off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := receive(t, tt.wire)
			var bad *proxyproto.HeaderError
			require.ErrorAs(t, err, &bad)
			assert.Equal(t, tt.version, bad.Version)
			assert.Contains(t, bad.Error(), tt.reason)
		})
	}
}

func TestHeaderWithoutAnEndIsRefusedBeforeMoreComes(t *testing.T) {
	for _, first := range []string{"GE", "PROXY UNKNOWN " + strings.Repeat("x", 92)} {
		synctest.Test(t, func(t *testing.T) {
			a, b := memory.Pipe(nil)
			defer a.Close()
			_, err := a.Send(t.Context(), []byte(first))
			require.NoError(t, err)
			_, err = proxyproto.WrapServer(t.Context(), b, trusting) // with nothing more to come
			var bad *proxyproto.HeaderError
			assert.ErrorAs(t, err, &bad)
		})
	}
}

func TestLongestHeadersAreReceived(t *testing.T) {
	for _, tt := range []struct{ name, wire string }{
		{"v1", "PROXY UNKNOWN " + strings.Repeat("x", 91) + "\r\n"}, // 107 bytes
		{"v1 of the longest addresses", "PROXY TCP6 " + strings.Repeat("ffff:", 7) + "ffff " + strings.Repeat("ffff:", 7) + "ffff 65535 65535\r\n"},
		{"v2", unhex(t, signature+"21 00 ffff e0 fffc") + strings.Repeat("x", 0xfffc)},
		{"v2 local", unhex(t, signature+"20 ff ffff") + strings.Repeat("x", 0xffff)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := receive(t, tt.wire+"!")
			require.NoError(t, err)
			defer s.Close()
			p := make([]byte, 2)
			n, err := s.Receive(t.Context(), p)
			require.NoError(t, err)
			assert.Equal(t, "!", string(p[:n]))
		})
	}
}

func TestSecondHeaderIsPayload(t *testing.T) {
	s, err := receive(t, "PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n")
	require.NoError(t, err)
	defer s.Close()
	line, err := s.ReceiveUntil(t.Context(), []byte("\r\n"), 0)
	require.NoError(t, err)
	assert.Equal(t, "PROXY UNKNOWN", string(line))
}

func TestChecksumIsSentAndHeld(t *testing.T) {
	h := &proxyproto.Header{
		Source: tcpAddr("192.0.2.1:1"), Destination: tcpAddr("192.0.2.2:2"),
		TLVs: []proxyproto.TLV{{Type: proxyproto.TypeCRC32C}, {Type: proxyproto.TypeALPN, Value: []byte("h2")}},
	}
	wire, err := h.Append(nil)
	require.NoError(t, err)
	s, err := receive(t, string(wire))
	require.NoError(t, err)
	defer s.Close()
	got, err := proxyproto.Received.Get(s)
	require.NoError(t, err)
	again, err := got.Append(nil)
	require.NoError(t, err)
	assert.Equal(t, wire, again)
	const sum = 28 // where the checksum is, but for whose type every bit counts
	for i := 16; i < len(wire); i++ {
		if i == sum {
			continue
		}
		wrong := []byte(string(wire))
		wrong[i] ^= 1
		_, err := receive(t, string(wrong))
		assert.Error(t, err, "byte %d", i)
	}
}

func TestWhatTheProtocolCannotSayIsNotSent(t *testing.T) {
	a, b := tcpAddr("192.0.2.1:1"), tcpAddr("192.0.2.2:2")
	tlvs := func(all ...proxyproto.TLV) proxyproto.Header { return proxyproto.Header{TLVs: all} }
	tests := []struct {
		name   string
		header proxyproto.Header
	}{
		{"version 3", proxyproto.Header{Version: 3}},
		{"two families in version 1", proxyproto.Header{Version: 1, Source: a, Destination: tcpAddr("[::1]:2")}},
		{"one address", proxyproto.Header{Source: a}},
		{"one address in version 1", proxyproto.Header{Version: 1, Destination: a}},
		{"two transports", proxyproto.Header{Source: a, Destination: udpAddr("192.0.2.2:2")}},
		{"two transports of Unix", proxyproto.Header{Source: unixAddr("/a"), Destination: &net.UnixAddr{Net: "unixgram"}}},
		{"no IP address", proxyproto.Header{Source: &net.TCPAddr{}, Destination: b}},
		{"an address of another kind", proxyproto.Header{Source: &net.IPAddr{}, Destination: &net.IPAddr{}}},
		{"a nil address", proxyproto.Header{Source: (*net.TCPAddr)(nil), Destination: b}},
		{"a long path", proxyproto.Header{Source: unixAddr(strings.Repeat("x", 109)), Destination: unixAddr("")}},
		{"a long TLV", tlvs(proxyproto.TLV{Type: 0xe0, Value: make([]byte, 65536)})},
		{"many TLVs", tlvs(proxyproto.TLV{Type: 0xe0, Value: make([]byte, 60000)}, proxyproto.TLV{Type: 0xe0, Value: make([]byte, 6000)})},
		{"two checksums", tlvs(proxyproto.TLV{Type: proxyproto.TypeCRC32C}, proxyproto.TLV{Type: proxyproto.TypeCRC32C})},
		{"a long unique ID", tlvs(proxyproto.TLV{Type: proxyproto.TypeUniqueID, Value: make([]byte, 129)})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.header.Append([]byte("before"))
			assert.ErrorContains(t, err, "proxyproto: header cannot be sent: ")
			assert.Equal(t, "before", string(got))

			a, b := memory.Pipe(nil)
			defer b.Close()
			require.Error(t, proxyproto.Send(t.Context(), a, &tt.header))
			_, err = b.Receive(t.Context(), make([]byte, 1))
			assert.Equal(t, io.EOF, err) // the stream was closed
		})
	}
}

func TestVersion1CallsWhatItDoesNotKnowUnknown(t *testing.T) {
	for _, h := range []proxyproto.Header{
		{Version: 1, Local: true},
		{Version: 1, Source: udpAddr("192.0.2.1:1"), Destination: udpAddr("192.0.2.2:2")},
		{Version: 1, Source: unixAddr("/a"), Destination: unixAddr("/b")},
	} {
		got, err := h.Append(nil)
		require.NoError(t, err)
		assert.Equal(t, "PROXY UNKNOWN\r\n", string(got))
	}
}

func TestTypesHaveNames(t *testing.T) {
	assert.Equal(t, "unique ID, 0xe0", fmt.Sprint(proxyproto.TypeUniqueID)+", "+fmt.Sprint(proxyproto.Type(0xe0)))
}

func FuzzParse(f *testing.F) {
	for _, tt := range golden {
		f.Add([]byte(tt.wire(f)))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		h, n, err := proxyproto.Parse(p)
		if err != nil {
			return
		}
		if h == nil {
			require.Greater(t, n, len(p), "asks for no more than there is")
			return
		}
		require.LessOrEqual(t, n, len(p))
		wire, err := h.Append(nil)
		require.NoError(t, err)
		again, n, err := proxyproto.Parse(wire)
		require.NoError(t, err)
		require.Equal(t, len(wire), n)
		if diff := cmp.Diff(withoutSum(h), withoutSum(again)); diff != "" {
			t.Errorf("header changed on its way (-before +after):\n%s", diff)
		}
	})
}

// withoutSum is h without the value of its checksum, which covers bytes that
// the header does not keep, such as those behind the NUL of a path.
func withoutSum(h *proxyproto.Header) *proxyproto.Header {
	for i, v := range h.TLVs {
		if v.Type == proxyproto.TypeCRC32C {
			h.TLVs[i].Value = nil
		}
	}
	return h
}
