package endpoint_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/endpoint"
)

// errRead keeps a scheme of the tests from making a connector.
var errRead = errors.New("read")

// read has read read the address of a URI, whose scheme is "x".
func read(uri string, read func(endpoint.Address) (string, error)) (text string, err error) {
	var failed error
	_, err = endpoint.NewConnector(uri, &endpoint.DialConfig{
		Schemes: map[string]func(endpoint.Address) (stream.Connector[stream.ByteStream], error){
			"x": func(a endpoint.Address) (stream.Connector[stream.ByteStream], error) {
				text, failed = read(a)
				return nil, errRead
			},
		},
	})
	if err == errRead {
		err = failed
	}
	return text, err
}

func TestHostAndPortAreRead(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"name", "x://example.com:80", "example.com:80"},
		{"IPv4", "x://127.0.0.1:80", "127.0.0.1:80"},
		{"IPv6", "x://[2001:db8::1]:80", "[2001:db8::1]:80"},
		{"IPv4 in IPv6", "x://[::ffff:192.0.2.1]:80", "[::ffff:192.0.2.1]:80"},
		{"zone as RFC 6874 has it", "x://[fe80::1%25eth0]:80", "[fe80::1%eth0]:80"},
		{"zone that needs the encoding", "x://[fe80::1%25a%2Db]:80", "[fe80::1%a-b]:80"},
		{"zone as people write it", "x://[fe80::1%eth0]:80", "[fe80::1%eth0]:80"},
		{"zone that looks like an encoding", "x://[fe80::1%ab]:80", "[fe80::1%ab]:80"},
		{"zone of the number 25", "x://[fe80::1%25]:80", "[fe80::1%25]:80"},
		{"port by name", "x://example.com:http-alt", "example.com:http-alt"},
		{"port 0", "x://127.0.0.1:0", "127.0.0.1:0"},
		{"largest port", "x://127.0.0.1:65535", "127.0.0.1:65535"},
		{"no host", "x://:80", ":80"},
		{"scheme in capitals", "X://Example.com:80", "Example.com:80"},
		{"over TLS", "tls+x://example.com:443", "example.com:443"},
		{"over TLS in capitals", "TLS+X://example.com:443", "example.com:443"},
		{"name in another script", "x://faß.de:80", "faß.de:80"},
		{"the same, encoded", "x://fa%C3%9F.de:80", "faß.de:80"},
		{"underscore", "x://a_b.example:80", "a_b.example:80"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(tt.in, endpoint.Address.HostPort)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
			_, _, err = net.SplitHostPort(got)
			assert.NoError(t, err)
		})
	}
}

func TestPathIsRead(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"absolute", "x:/run/a.sock", "/run/a.sock"},
		{"absolute behind an empty host", "x:///run/a.sock", "/run/a.sock"},
		{"relative", "x:run/a.sock", "run/a.sock"},
		{"two slashes", "x:////run", "//run"},
		{"abstract", "x:@app", "@app"},
		{"abstract, as the kernel has it", "x:%00app", "\x00app"},
		{"file with an at sign", "x:./@app", "./@app"},
		{"none", "x:", ""},
		{"marks of a URI", "x:/a%3Fb%23c%25d", "/a?b#c%d"},
		{"colon and space", "x:/a:b c", "/a:b c"},
		{"plus is plus", "x:/a+b", "/a+b"},
		{"not UTF-8", "x:/%F0%ff", "/\xf0\xff"},
		{"not UTF-8 and not encoded", "x:/\xf0", "/\xf0"},
		{"not ASCII", "x:/ä", "/ä"},
		{"over TLS", "tls+x:/run/a.sock", "/run/a.sock"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(tt.in, endpoint.Address.Path)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestWhatIsNoEndpointIsRefusedWithTheReason(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", "no scheme: write tcp://host:port or unix:path"},
		{"path alone", "/run/a.sock", "no scheme"},
		{"port alone", ":80", "no scheme"},
		{"address alone", "127.0.0.1:80", "no scheme"},
		{"host and port alone", "localhost:80", `unknown scheme "localhost": there are tcp, unix, and tls+ with each`},
		{"unknown scheme", "http://example.com:80", `unknown scheme "http"`},
		{"unknown scheme over TLS", "tls+http://example.com:80", `unknown scheme "tls+http"`},
		{"packets", "udp://example.com:53", "udp carries packets and is no byte stream: see udp.Connector"},
		{"Unix packets", "unixgram:/run/a.sock", "see unix.PacketConnector"},
		{"Unix packets in order, over TLS", "tls+unixpacket:/run/a.sock", "see unix.SeqpacketConnector"},
		{"TLS over nothing", "tls://example.com:80", `unknown scheme "tls"`},
		{"TLS over TLS", "tls+tls+tcp://example.com:80", `unknown scheme "tls+tls+tcp"`},
		{"end of line", "tcp://example.com:80\n", "control character U+000A"},
		{"control character beyond ASCII", "unix:/a\u0085", "control character U+0085"},

		{"no slashes", "tcp:example.com:80", "no host: write tcp://host:port"},
		{"no slashes, over TLS", "tls+tcp:example.com:80", "no host: write tls+tcp://host:port"},
		{"no host", "tcp://:80", "missing host"},
		{"no port", "tcp://example.com", "missing port"},
		{"no port behind the colon", "tcp://example.com:", "missing port"},
		{"no port behind brackets", "tcp://[::1]", "missing port"},
		{"no colon behind brackets", "tcp://[::1]80", `port "80"`},
		{"port too large", "tcp://example.com:65536", `port ":65536"`},
		{"negative port", "tcp://example.com:-1", `port ":-1"`},
		{"port with a sign", "tcp://example.com:+80", `port ":+80"`},
		{"port with a space", "tcp://example.com:80 ", `port ":80 "`},
		{"IPv6 without brackets", "tcp://::1:80", "an IPv6 address goes into brackets"},
		{"bracket that is not closed", "tcp://[::1:80", "no IPv6 address in brackets"},
		{"IPv4 in brackets", "tcp://[127.0.0.1]:80", "no IPv6 address in brackets"},
		{"name in brackets", "tcp://[localhost]:80", "no IPv6 address in brackets"},
		{"empty zone", "tcp://[fe80::1%]:80", "no IPv6 address in brackets"},
		{"zone with half an encoding", "tcp://[fe80::1%25a%2]:80", "zone"},
		{"space in the host", "tcp://exa mple.com:80", `host "exa mple.com"`},
		{"colon in the host, encoded", "tcp://a%3A1:80", `host "a%3A1"`},
		{"percent sign in the host", "tcp://50%:80", `host "50%"`},
		{"user", "tcp://me@example.com:80", "there is a user, and tcp has none"},
		{"path", "tcp://example.com:80/x", "there is a path, and tcp has none"},
		{"empty path", "tcp://example.com:80/", "there is a path"},
		{"query", "tcp://example.com:80?x=1", "there is a query, and tcp has none"},
		{"fragment", "tcp://example.com:80#x", "there is a fragment, and tcp has none"},

		{"no path", "unix:", "missing path"},
		{"no path behind two slashes", "unix://", "there is a host, and unix has none: write unix:path or unix:///path"},
		{"host before the path", "unix://run/a.sock", "there is a host, and unix has none"},
		{"host before the path, over TLS", "tls+unix://run/a", "write tls+unix:path or tls+unix:///path"},
		{"query behind the path", "unix:/a?mode=1", "? in a path is written %3F"},
		{"fragment behind the path", "unix:/a#b", "# in a path is written %23"},
		{"percent sign", "unix:/100%", "% in a path is written %25"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := endpoint.NewConnector(tt.in, nil)
			e, ok := errors.AsType[*endpoint.URIError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, strings.ToLower(tt.in), strings.ToLower(e.URI))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestErrorsHidePasswords(t *testing.T) {
	for _, uri := range []string{
		"tcp://me:secret@example.com:80", "tcp:me:secret@example.com:80", "http://me:secret@example.com/",
		"tcp://me:secret@b@example.com:80", "unix://me:secret@host/path",
	} {
		_, err := endpoint.NewConnector(uri, nil)
		require.Error(t, err, uri)
		assert.NotContains(t, err.Error(), "secret")
	}
	_, err := endpoint.NewConnector("tcp://me:secret@example.com:80", nil)
	assert.EqualError(t, err, `endpoint: "tcp://…@example.com:80": there is a user, and tcp has none`)
	_, err = endpoint.NewConnector("unix:@a?b", nil)
	assert.ErrorContains(t, err, `"unix:@a?b"`)
}

// FuzzAddress holds that what is read means the same when it is written down
// again, and that nothing is read that Dial would take apart differently.
func FuzzAddress(f *testing.F) {
	for _, uri := range []string{
		"x://example.com:80", "x://[fe80::1%25eth0]:smtp", "x://:0", "x:/run/a%20b", "x:///a", "x:@a", "tls+x:%00a",
		"x://u@h:1", "x://h:1/p?q#f", "x://[::1", "x:%", "X://fa%C3%9F.de:1", "tcp://a:1", "unix:a", "",
	} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		_, err := endpoint.NewConnector(uri, nil)
		if err != nil {
			_, ok := errors.AsType[*endpoint.URIError](err)
			assert.True(t, ok, "%v", err)
			_ = err.Error()
		}
		if addr, err := read(uri, endpoint.Address.HostPort); err == nil && addr != "" {
			host, port, err := net.SplitHostPort(addr)
			require.NoError(t, err)
			assert.NotContains(t, host, "@")
			again, err := read("x://"+writeHost(host)+":"+port, endpoint.Address.HostPort)
			require.NoError(t, err)
			assert.Equal(t, addr, again)
		}
		if path, err := read(uri, endpoint.Address.Path); err == nil {
			again, err := read("x:"+writePath(path), endpoint.Address.Path)
			require.NoError(t, err)
			assert.Equal(t, path, again)
		}
	})
}

func writeHost(host string) string {
	if address, zone, ok := strings.Cut(host, "%"); ok {
		return "[" + address + "%25" + encode(zone) + "]"
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return encode(host)
}

func writePath(path string) string {
	if strings.HasPrefix(path, "//") {
		return "//" + encode(path)
	}
	return encode(path)
}

// encode writes everything that is not a letter, a digit or a slash as %XX.
func encode(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '/':
			b.WriteByte(c)
		default:
			b.WriteString("%" + string(digits[c>>4]) + string(digits[c&0xf]))
		}
	}
	return b.String()
}
