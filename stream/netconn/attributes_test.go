package netconn_test

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/internal/tlsattr"
	"github.com/strata-go/strata/stream/netconn"
)

func TestSocketsTellTheirAddresses(t *testing.T) {
	tests := []struct {
		network, addr string
		family        netconn.Family
	}{
		{"tcp4", "127.0.0.1:0", netconn.IPv4},
		{"tcp", "127.0.0.1:0", netconn.IPv4},
		{"tcp6", "[::1]:0", netconn.IPv6},
	}
	for _, tt := range tests {
		t.Run(tt.network, func(t *testing.T) {
			a, b, err := dialPair(t.Context(), tt.network, tt.addr)
			if err != nil && tt.family == netconn.IPv6 {
				t.Skip("no IPv6 on this machine:", err)
			}
			require.NoError(t, err)
			defer b.Close()
			s := netconn.Wrap(a)
			for range 2 { // open, and closed
				assert.Equal(t, a.LocalAddr(), get(t, netconn.LocalAddr, s))
				assert.Equal(t, b.LocalAddr(), get(t, netconn.RemoteAddr, s))
				assert.Equal(t, unmapped(a.LocalAddr()), get(t, netconn.LocalAddrPort, s))
				assert.Equal(t, unmapped(b.LocalAddr()), get(t, netconn.RemoteAddrPort, s))
				assert.Equal(t, tt.family, get(t, netconn.NetFamily, s))
				assert.Same(t, a, get(t, netconn.NetConn, s))
				absent(t, netconn.Host, s)
				absent(t, sockattr.PeerCred, s)
				absent(t, tlsattr.ALPN, s)
				require.NoError(t, s.Close())
			}
		})
	}
}

// get is Key.Get for a key that p has.
func get[T any](t *testing.T, k attr.Key[T], p attr.Provider) T {
	t.Helper()
	v, err := k.Get(p)
	require.NoError(t, err)
	return v
}

func absent[T any](t *testing.T, k attr.Key[T], p attr.Provider) {
	t.Helper()
	_, err := k.Get(p)
	assert.ErrorIs(t, err, attr.ErrNotFound, k.Name())
}

func unmapped(a net.Addr) netip.AddrPort {
	ap := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

func TestMappedAddressesAreUnmapped(t *testing.T) {
	a, _ := must(t, tcpPair)
	s := netconn.Wrap(mapped{a})
	assert.Equal(t, netip.MustParseAddrPort("192.0.2.1:80"), get(t, netconn.LocalAddrPort, s))
	assert.Equal(t, netconn.IPv4, get(t, netconn.NetFamily, s))
}

// mapped has the address that an IPv6 socket has for IPv4.
type mapped struct{ net.Conn }

func (mapped) LocalAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[::ffff:192.0.2.1]:80"))
}

func TestRawConnReachesTheDescriptor(t *testing.T) {
	a, _ := must(t, tcpPair)
	s := netconn.Wrap(embedded{a})
	raw := get(t, netconn.RawConn, s)
	ran := false
	require.NoError(t, raw.Control(func(uintptr) { ran = true }))
	assert.True(t, ran)
	require.NoError(t, s.Close())
	require.ErrorIs(t, raw.Control(func(uintptr) {}), net.ErrClosed)
}

func TestPeerCredAnswersThroughForeignWrappers(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("the system does not tell")
	}
	a, _ := must(t, unixPair)
	for _, conn := range []net.Conn{a, embedded{a}, underlying{embedded{a}}, raw{a}} {
		s := netconn.Wrap(conn)
		cred := get(t, sockattr.PeerCred, s)
		assert.Equal(t, sockattr.Cred{PID: os.Getpid(), UID: os.Getuid(), GID: os.Getgid()}, cred)
		assert.Equal(t, netconn.Unix, get(t, netconn.NetFamily, s))
		absent(t, netconn.LocalAddrPort, s)
	}
}

type underlying struct{ net.Conn }

func (u underlying) UnderlyingConn() net.Conn { return u.Conn }

type raw struct{ net.Conn }

func (r raw) Raw() net.Conn { return r.Conn }

// circle says that it wraps itself.
type circle struct{ net.Conn }

func (c circle) NetConn() net.Conn { return c }

func TestChainThatIsACircleEnds(t *testing.T) {
	a, _ := must(t, tcpPair)
	assert.Equal(t, a.LocalAddr(), get(t, netconn.LocalAddr, netconn.Wrap(circle{a})))
}

func TestEveryLayerOfAChainAnswers(t *testing.T) {
	a, _ := must(t, tcpPair)
	mid := embedded{a}
	outer := underlying{mid}
	var got []net.Conn
	for c, err := range netconn.NetConn.All(netconn.Wrap(outer)) {
		require.NoError(t, err)
		got = append(got, c)
	}
	assert.Equal(t, []net.Conn{outer, mid, a}, got)
}

func TestForeignTLSTellsItsSession(t *testing.T) {
	a, b := must(t, tlsPair)
	for _, conn := range []net.Conn{a, embedded{a}} {
		s := netconn.Wrap(conn)
		assert.EqualValues(t, cryptotls.VersionTLS13, get(t, tlsattr.Version, s))
		assert.Equal(t, "echo", get(t, tlsattr.ALPN, s))
		assert.Equal(t, "localhost", get(t, tlsattr.ServerName, s))
		assert.Equal(t, a.ConnectionState().PeerCertificates[0], get(t, tlsattr.PeerCertificate, s))
		assert.True(t, get(t, tlsattr.AllowsTruncation, s))
		absent(t, tlsattr.TLSUnique, s)
		absent(t, tlsattr.ServerSide, s)
		assert.Equal(t, a.LocalAddr(), get(t, netconn.LocalAddr, s))
	}
	absent(t, tlsattr.PeerCertificate, netconn.Wrap(b))
}

func TestForeignTLSTellsItsSessionOnceTheHandshakeIsDone(t *testing.T) {
	below, beside := must(t, tcpPair)
	client, server := tlsConfigs()
	for _, wrapper := range []func(net.Conn) net.Conn{
		func(c net.Conn) net.Conn { return c },
		func(c net.Conn) net.Conn { return embedded{c} },
	} {
		a := netconn.Wrap(wrapper(cryptotls.Client(below, client)))
		b := netconn.Wrap(wrapper(cryptotls.Server(beside, server)))
		absent(t, tlsattr.State, a)
		_, plain := netconn.From(a).(*netconn.Conn)
		assert.True(t, plain)
		done := make(chan error, 1)
		go func() {
			_, err := b.Receive(t.Context(), make([]byte, 1))
			done <- err
		}()
		_, err := a.Send(t.Context(), []byte("x"))
		require.NoError(t, err)
		require.NoError(t, <-done)
		assert.Equal(t, "echo", get(t, tlsattr.ALPN, a))
		assert.Equal(t, "echo", get(t, tlsattr.ALPN, b))
		assert.Equal(t, get(t, tlsattr.State, a).Version, netconn.From(a).(*netconn.TLSConn).ConnectionState().Version)
		below, beside = must(t, tcpPair)
	}
}

func TestHandshakeHonorsItsContext(t *testing.T) {
	below, _ := must(t, tcpPair)
	client, _ := tlsConfigs()
	s := netconn.Wrap(cryptotls.Client(below, client)) // whose peer says nothing
	defer s.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("reason")
	done := make(chan error, 1)
	go func() {
		_, err := s.Receive(ctx, make([]byte, 1))
		done <- err
	}()
	cancel(reason)
	require.ErrorIs(t, <-done, reason)
}

func TestWrapOfFromKeepsTheAttributesBelow(t *testing.T) {
	a, _ := must(t, tlsPair)
	inner := netconn.Wrap(a)
	outer := netconn.Wrap(netconn.From(inner))
	assert.Equal(t, "echo", get(t, tlsattr.ALPN, outer))
	assert.Equal(t, a.LocalAddr(), get(t, netconn.LocalAddr, outer))
}

func TestUnixSocketsWithoutANameHaveAnAddress(t *testing.T) {
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	require.NoError(t, err)
	l := netconn.WrapListener(ln)
	defer l.Close()
	conn, err := net.Dial("unix", ln.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	s, err := l.Accept(t.Context())
	require.NoError(t, err)
	defer s.Close()
	assert.Equal(t, conn.LocalAddr().String(), get(t, netconn.RemoteAddr, s).String())
	assert.Equal(t, ln.Addr(), get(t, netconn.LocalAddr, l))
}

func TestSecretsAreNotLogged(t *testing.T) {
	a, _ := must(t, tlsPair)
	var names []string
	for _, a := range attr.LogValue(netconn.Wrap(a)).Group() {
		names = append(names, a.Key)
	}
	assert.Contains(t, names, "tls.alpn_protocol")
	for _, secret := range []string{"net.conn", "net.raw_conn", "tls.state", "tls.unique", "tls.export_keying_material"} {
		assert.False(t, slices.Contains(names, secret), secret)
	}
}

func TestEachConnOfAChainIsALayerOfItsOwnType(t *testing.T) {
	a, _ := must(t, tcpPair)
	var layers []string
	for e := range attr.All(netconn.Wrap(embedded{a})) {
		if e.Name() == netconn.NetConn.Name() {
			layers = append(layers, e.Layer())
		}
	}
	assert.Equal(t, []string{"*netconn.Stream", "*net.TCPConn"}, layers)
}
