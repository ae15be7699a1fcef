package proxyproto_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/listener/proxyproto"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// tcpPair returns the two ends of a TCP connection.
func tcpPair(t testing.TB) (client, server *tcp.Conn) {
	t.Helper()
	ln, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	defer ln.Close()
	addr, _ := tcp.LocalAddr.Lookup(ln)
	client, err = tcp.Dial(t.Context(), addr.String(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	server, err = ln.Accept(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	return client, server
}

// all returns what every layer answers.
func all[T any](t testing.TB, k attr.Key[T], p attr.Provider) []T {
	t.Helper()
	var values []T
	for v, err := range k.All(p) {
		require.NoError(t, err)
		values = append(values, v)
	}
	return values
}

func TestAddressIsTheClientsAndTheProxysStaysReadable(t *testing.T) {
	c, below := tcpPair(t)
	proxy, _ := tcp.LocalAddrPort.Lookup(c)
	us, _ := tcp.RemoteAddrPort.Lookup(c)
	h := &proxyproto.Header{Source: tcpAddr("192.0.2.1:56660"), Destination: tcpAddr("203.0.113.2:443")}
	require.NoError(t, proxyproto.Send(t.Context(), c, h))
	s, err := proxyproto.WrapServer(t.Context(), below, trusting)
	require.NoError(t, err)
	for range 2 { // before and after Close
		source, dest := netip.MustParseAddrPort("192.0.2.1:56660"), netip.MustParseAddrPort("203.0.113.2:443")
		assert.Equal(t, []netip.AddrPort{source, proxy}, all(t, tcp.RemoteAddrPort, s))
		assert.Equal(t, []netip.AddrPort{dest, us}, all(t, tcp.LocalAddrPort, s))
		addr, err := tcp.RemoteAddr.Get(s)
		require.NoError(t, err)
		assert.Equal(t, h.Source.String(), addr.String())
		addr, err = tcp.LocalAddr.Get(s)
		require.NoError(t, err)
		assert.Equal(t, h.Destination.String(), addr.String())
		require.NoError(t, s.Close())
	}
	assert.Equal(t, "192.0.2.1:56660", netconn.From(s).RemoteAddr().String())
}

func TestHeaderWithoutAddressesLeavesThoseOfTheSocket(t *testing.T) {
	for _, h := range []*proxyproto.Header{{Local: true}, {}, {Version: 1}} {
		c, below := tcpPair(t)
		require.NoError(t, proxyproto.Send(t.Context(), c, h))
		s, err := proxyproto.WrapServer(t.Context(), below, trusting)
		require.NoError(t, err)
		proxy, _ := tcp.LocalAddrPort.Lookup(c)
		assert.Equal(t, []netip.AddrPort{proxy}, all(t, tcp.RemoteAddrPort, s))
		got, err := proxyproto.Received.Get(s)
		require.NoError(t, err)
		assert.Equal(t, h.Local, got.Local)
	}
}

func TestClientWithoutAPortDoesNotGetTheProxys(t *testing.T) {
	c, below := tcpPair(t)
	h := &proxyproto.Header{Source: unixAddr("/client"), Destination: unixAddr("/server")}
	require.NoError(t, proxyproto.Send(t.Context(), c, h))
	s, err := proxyproto.WrapServer(t.Context(), below, trusting)
	require.NoError(t, err)
	_, err = tcp.RemoteAddrPort.Get(s)
	require.Error(t, err)
	assert.NotErrorIs(t, err, attr.ErrNotFound)
	addr, err := tcp.RemoteAddr.Get(s)
	require.NoError(t, err)
	assert.Equal(t, "/client", addr.String())
}

func TestTLVsAreAttributes(t *testing.T) {
	told := &proxyproto.ClientTLS{
		CertConn: true, CertSession: true, Verified: true,
		Version: "TLSv1.3", CommonName: "client", Cipher: "TLS_AES_128_GCM_SHA256", SignatureAlg: "SHA256", KeyAlg: "EC256",
	}
	h := &proxyproto.Header{TLVs: []proxyproto.TLV{
		{Type: proxyproto.TypeALPN, Value: []byte("h2")},
		{Type: proxyproto.TypeAuthority, Value: []byte("example.com")},
		{Type: proxyproto.TypeUniqueID, Value: []byte("\x00\x01")},
		told.TLV(),
	}}
	wire, err := h.Append(nil)
	require.NoError(t, err)
	s, err := receive(t, string(wire))
	require.NoError(t, err)
	defer s.Close()
	assert.Equal(t, []string{"h2"}, all(t, proxyproto.ALPN, s))
	assert.Equal(t, []string{"example.com"}, all(t, proxyproto.Authority, s))
	assert.Equal(t, []string{"\x00\x01"}, all(t, proxyproto.UniqueID, s))
	assert.Equal(t, []*proxyproto.ClientTLS{told}, all(t, proxyproto.TLS, s))
	_, ok := tls.ALPN.Lookup(s)
	assert.False(t, ok, "the proxy's ALPN is not that of this connection")
}

func TestWhatTheHeaderDoesNotTellIsAbsent(t *testing.T) {
	noTLS := unhex(t, signature+"21 00 0008 20 0005 0000000000")
	for _, first := range []string{"PROXY UNKNOWN\r\n", noTLS} {
		s, err := receive(t, first)
		require.NoError(t, err)
		defer s.Close()
		for _, k := range []attr.Key[string]{proxyproto.ALPN, proxyproto.Authority, proxyproto.UniqueID} {
			_, err := k.Get(s)
			assert.ErrorIs(t, err, attr.ErrNotFound)
		}
		_, err = proxyproto.TLS.Get(s)
		assert.ErrorIs(t, err, attr.ErrNotFound)
	}
}

func TestCertificateIsVerifiedOnlyIfThereWasOne(t *testing.T) {
	for _, tt := range []struct {
		name, value string
		want        bool
	}{
		{"verified", "07 00000000", true},
		{"in an earlier connection", "05 00000000", true},
		{"none", "01 00000000", false},
		{"refused", "07 00000012", false},
	} {
		s, err := receive(t, unhex(t, signature+"21 00 0008 20 0005"+tt.value))
		require.NoError(t, err)
		defer s.Close()
		told, err := proxyproto.TLS.Get(s)
		require.NoError(t, err)
		assert.Equal(t, tt.want, told.Verified, tt.name)
	}
}

func TestNobodyIsTrustedByDefault(t *testing.T) {
	for _, cfg := range []*proxyproto.Config{nil, {}, {Trust: proxyproto.From()}} {
		c, below := tcpPair(t)
		_, err := proxyproto.WrapServer(t.Context(), below, cfg)
		var refused *proxyproto.UntrustedError
		require.ErrorAs(t, err, &refused)
		addr, _ := tcp.LocalAddr.Lookup(c)
		assert.Equal(t, addr.String(), refused.Addr.String())
		_, err = c.Receive(t.Context(), make([]byte, 1))
		assert.Equal(t, io.EOF, err)
	}
}

func TestUntrustedPeerCannotSpoof(t *testing.T) {
	c, below := tcpPair(t)
	const spoofed = "PROXY TCP4 192.0.2.1 203.0.113.2 56660 443\r\n"
	_, err := c.Send(t.Context(), []byte(spoofed))
	require.NoError(t, err)
	s, err := proxyproto.WrapServer(t.Context(), below, &proxyproto.Config{
		Trust:     proxyproto.From(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::/0")),
		Untrusted: proxyproto.PassThrough,
	})
	require.NoError(t, err)
	proxy, _ := tcp.LocalAddrPort.Lookup(c)
	assert.Equal(t, []netip.AddrPort{proxy}, all(t, tcp.RemoteAddrPort, s))
	_, err = proxyproto.Received.Get(s)
	require.ErrorIs(t, err, attr.ErrNotFound)
	got := make([]byte, len(spoofed))
	require.NoError(t, s.ReceiveExactly(t.Context(), got))
	assert.Equal(t, spoofed, string(got))
}

func TestTrustedAreThePeersInThePrefixes(t *testing.T) {
	_, server := tcpPair(t)
	in := func(prefixes ...string) bool {
		var parsed []netip.Prefix
		for _, p := range prefixes {
			parsed = append(parsed, netip.MustParsePrefix(p))
		}
		return proxyproto.From(parsed...)(server)
	}
	assert.True(t, in("127.0.0.0/8"))
	assert.True(t, in("::1/128", "127.0.0.1/32"))
	assert.False(t, in("::/0"))
	assert.False(t, in("128.0.0.0/1"))
	a, b := memory.Pipe(nil)
	defer a.Close()
	defer b.Close()
	assert.False(t, proxyproto.From(netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"))(a))
}

func TestHeaderWithinTLS(t *testing.T) {
	cfg, clientCfg := configs(t)
	a, b := memory.Pipe(nil)
	go func() {
		c, err := tls.WrapClient(t.Context(), a, clientCfg, nil)
		if err == nil {
			_, err = c.Send(t.Context(), []byte("PROXY TCP4 192.0.2.1 203.0.113.2 56660 443\r\npayload"))
		}
		if err != nil {
			t.Error(err)
		}
	}()
	c, err := tls.WrapServer(t.Context(), b, cfg, nil)
	require.NoError(t, err)
	s, err := proxyproto.WrapServer(t.Context(), c, trusting)
	require.NoError(t, err)
	defer s.Close()
	assertClient(t, s)
}

// assertClient asserts that s is from 192.0.2.1 and begins with "payload".
func assertClient(t *testing.T, s stream.ByteStream) {
	t.Helper()
	addr, err := tcp.RemoteAddrPort.Get(s)
	require.NoError(t, err)
	assert.Equal(t, "192.0.2.1:56660", addr.String())
	b := buffered.New(s, nil)
	got := make([]byte, len("payload"))
	require.NoError(t, b.ReceiveExactly(t.Context(), got))
	assert.Equal(t, "payload", string(got))
}

// A glued stream sends its first two sends in one.
type glued struct {
	stream.Wrapper
	first []byte
}

func (g *glued) Send(ctx context.Context, p []byte) (int, error) {
	if g.first == nil {
		return g.Wrapper.Send(ctx, p)
	}
	whole := slices.Concat(g.first, p)
	g.first = nil
	if _, err := g.Wrapper.Send(ctx, whole); err != nil {
		return 0, err
	}
	return len(p), nil
}

func TestHeaderAndClientHelloInOneSegment(t *testing.T) {
	cfg, clientCfg := configs(t)
	a, b := memory.Pipe(nil)
	go func() {
		g := &glued{stream.Wrapper{ByteStream: a}, []byte("PROXY TCP4 192.0.2.1 203.0.113.2 56660 443\r\n")}
		c, err := tls.WrapClient(t.Context(), g, clientCfg, nil)
		if err == nil {
			_, err = c.Send(t.Context(), []byte("payload"))
		}
		if err != nil {
			t.Error(err)
		}
	}()
	s, err := proxyproto.WrapServer(t.Context(), b, trusting)
	require.NoError(t, err)
	c, err := tls.WrapServer(t.Context(), s, cfg, nil)
	require.NoError(t, err)
	defer c.Close()
	assertClient(t, c)
}

func TestPlaintextBehindTheHeaderIsCountedAsUnread(t *testing.T) {
	s, err := receive(t, "PROXY UNKNOWN\r\ninjected")
	require.NoError(t, err)
	assert.Equal(t, []int{len("injected")}, all(t, stream.Unread, s))
	cfg, _ := configs(t)
	_, err = tls.UpgradeServer(t.Context(), s, cfg, nil)
	assert.ErrorIs(t, err, tls.ErrPlaintextBuffered)
}

func configs(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	ca, err := testpki.New(time.Now())
	require.NoError(t, err)
	cert, err := ca.Issue(testpki.Server)
	require.NoError(t, err)
	own, err := ca.Issue(testpki.Client)
	require.NoError(t, err)
	return &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: ca.Pool()},
		&tls.Config{Certificates: []tls.Certificate{own}, RootCAs: ca.Pool(), ServerName: "localhost"}
}

func TestCanceledWrapServerClosesTheStream(t *testing.T) {
	for _, first := range []string{"", "PROXY "} {
		synctest.Test(t, func(t *testing.T) {
			a, b := memory.Pipe(nil)
			_, err := a.Send(t.Context(), []byte(first))
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				synctest.Wait()
				cancel()
			}()
			_, err = proxyproto.WrapServer(ctx, b, trusting)
			require.ErrorIs(t, err, context.Canceled)
			_, err = a.Receive(t.Context(), make([]byte, 1))
			assert.Equal(t, io.EOF, err)

			a, b = memory.Pipe(nil)
			_, err = proxyproto.WrapServer(ctx, b, trusting)
			require.ErrorIs(t, err, context.Canceled)
			assert.ErrorIs(t, proxyproto.Send(ctx, a, new(proxyproto.Header)), context.Canceled)
			_, err = a.Receive(t.Context(), make([]byte, 1))
			assert.ErrorIs(t, err, net.ErrClosed)
		})
	}
}

func TestNilIsAnErrorOrPanics(t *testing.T) {
	_, err := proxyproto.WrapServer(t.Context(), nil, nil)
	require.EqualError(t, err, "proxyproto: WrapServer: nil stream")
	require.EqualError(t, proxyproto.Send(t.Context(), nil, nil), "proxyproto: Send: nil stream")
	a, b := memory.Pipe(nil)
	defer b.Close()
	require.EqualError(t, proxyproto.Send(t.Context(), a, nil), "proxyproto: Send: nil header")
	_, err = a.Receive(t.Context(), make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed)
	assert.PanicsWithValue(t, "proxyproto: NewListener: nil ln", func() { proxyproto.NewListener[*memory.Conn](nil, nil) })
	assert.PanicsWithValue(t, "proxyproto: NewConnector: nil c", func() { proxyproto.NewConnector[*memory.Conn](nil, nil) })
	assert.PanicsWithValue(t, "proxyproto: NewConnector: nil header", func() {
		proxyproto.NewConnector(memory.Listen(nil), nil)
	})
}

func TestUntrustedErrorNamesThePeer(t *testing.T) {
	for _, e := range []struct {
		err  error
		want string
	}{
		{&proxyproto.UntrustedError{Addr: tcpAddr("192.0.2.1:1")}, "proxyproto: peer 192.0.2.1:1 is not trusted"},
		{&proxyproto.UntrustedError{}, "proxyproto: peer of unknown address is not trusted"},
	} {
		assert.EqualError(t, e.err, e.want)
	}
	_, err := receive(t, "GET / HTTP/1.1\r\n\r\n")
	assert.EqualError(t, err, `proxyproto: no header: "GET / HTTP/1.1\r\n"`)
	assert.NotErrorIs(t, err, errors.ErrUnsupported)
}
