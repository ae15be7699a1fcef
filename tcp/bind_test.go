package tcp_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/tcp"
)

// addrsOf returns the addresses of every socket of a listener.
func addrsOf(t *testing.T, p attr.Provider) (addrs []netip.AddrPort) {
	t.Helper()
	for a, err := range tcp.LocalAddrPort.All(p) {
		require.NoError(t, err)
		addrs = append(addrs, a)
	}
	return addrs
}

// needIPv6 skips where there is none on loopback.
func needIPv6(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6: ", err)
	}
	ln.Close()
}

func TestListenOpensWhatTheHostStandsFor(t *testing.T) {
	needIPv6(t)
	tests := []struct {
		name, host string
		cfg        tcp.ListenConfig
		sockets    string
		ipv4, ipv6 bool // who gets through
	}{
		{name: "IPv4", host: "127.0.0.1", sockets: "127.0.0.1", ipv4: true},
		{name: "IPv6", host: "[::1]", sockets: "::1", ipv6: true},
		{name: "mapped", host: "[::ffff:127.0.0.1]", sockets: "127.0.0.1", ipv4: true},
		{name: "all IPv4", host: "0.0.0.0", sockets: "0.0.0.0", ipv4: true},
		{name: "all IPv6", host: "[::]", cfg: tcp.ListenConfig{NoDualStack: true}, sockets: "::", ipv6: true},
		{name: "dual stack", host: "[::]", sockets: "::", ipv4: true, ipv6: true},
		{name: "all", sockets: "::", ipv4: true, ipv6: true},
		{name: "all, no dual stack", cfg: tcp.ListenConfig{NoDualStack: true}, sockets: "0.0.0.0 ::", ipv4: true, ipv6: true},
		{name: "family IPv4", cfg: tcp.ListenConfig{Family: happyeyeballs.IPv4}, sockets: "0.0.0.0", ipv4: true},
		{name: "family IPv6", cfg: tcp.ListenConfig{Family: happyeyeballs.IPv6}, sockets: "::", ipv6: true},
		{name: "name", host: "host.test", sockets: "127.0.0.1 ::1", ipv4: true, ipv6: true},
		{name: "name in a family", host: "host.test", cfg: tcp.ListenConfig{Family: happyeyeballs.IPv6}, sockets: "::1", ipv6: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Resolver = &hosts{addrs: []string{"::1", "127.0.0.1", "::1"}}
			ln, err := tcp.Listen(t.Context(), tt.host+":0", &tt.cfg)
			require.NoError(t, err)
			defer ln.Close()
			addrs := addrsOf(t, ln)
			var sockets []string
			for _, a := range addrs {
				sockets = append(sockets, a.Addr().String())
				assert.Equal(t, addrs[0].Port(), a.Port(), "all have the same port")
			}
			assert.Equal(t, tt.sockets, strings.Join(sockets, " "))
			p := port(t, addrs[0].String())
			reaches(t, ln, "127.0.0.1:"+p, tt.ipv4)
			reaches(t, ln, "[::1]:"+p, tt.ipv6)
		})
	}
}

// reaches checks whether a connection to addr arrives at ln.
func reaches(t *testing.T, ln *tcp.Listener, addr string, want bool) {
	t.Helper()
	c, err := tcp.Dial(t.Context(), addr, nil)
	if !want {
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		return
	}
	require.NoError(t, err)
	defer c.Close()
	peer, err := ln.Accept(t.Context())
	require.NoError(t, err)
	defer peer.Close()
	from, _ := tcp.LocalAddrPort.Lookup(c)
	got, err := tcp.RemoteAddrPort.Get(peer)
	require.NoError(t, err)
	assert.Equal(t, from, got)
}

// named listens on both loopback addresses by a name.
func named(t *testing.T, cfg tcp.ListenConfig) (*tcp.Listener, error) {
	t.Helper()
	needIPv6(t)
	cfg.Resolver = &hosts{addrs: []string{"127.0.0.1", "::1"}}
	ln, err := tcp.Listen(t.Context(), "host.test:0", &cfg)
	if err == nil {
		t.Cleanup(func() { ln.Close() })
	}
	return ln, err
}

// A squatter is a Control that takes the port of the second socket before that
// can, as often as it is told to.
type squatter struct {
	times int // left; below zero for ever
	seen  []string
	lns   []net.Listener
}

func (s *squatter) control(network, address string, _ syscall.RawConn) error {
	s.seen = append(s.seen, network)
	if strings.HasSuffix(address, ":0") || s.times == 0 {
		return nil
	}
	ln, err := net.Listen(network, address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil // by us: package net tries Multipath TCP first, and then TCP
	}
	s.times--
	s.lns = append(s.lns, ln)
	return err
}

func (s *squatter) close() {
	for _, ln := range s.lns {
		ln.Close()
	}
}

func TestPortTakenInTheOtherFamilyIsAnotherTry(t *testing.T) {
	s := &squatter{times: 2}
	defer s.close()
	ln, err := named(t, tcp.ListenConfig{Options: tcp.Options{Control: s.control}})
	require.NoError(t, err)
	addrs := addrsOf(t, ln)
	require.Len(t, addrs, 2)
	assert.Equal(t, addrs[0].Port(), addrs[1].Port())
	assert.Equal(t, netip.MustParseAddr("127.0.0.1"), addrs[0].Addr(), "in order, whoever was first")
	// The one whose port was taken is the next to choose.
	assert.Equal(t, []string{"tcp4", "tcp6", "tcp4", "tcp6"}, slices.Compact(s.seen))
}

func TestNoCommonPortIsAnErrorThatLeavesNothingOpen(t *testing.T) {
	s := &squatter{times: -1}
	defer s.close()
	_, err := named(t, tcp.ListenConfig{Options: tcp.Options{Control: s.control}})
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	require.ErrorContains(t, err, "tcp: listen host.test:0: ")
	for _, squatting := range s.lns { // the first socket of each try had the same port
		p := port(t, squatting.Addr().String())
		other := "127.0.0.1:" + p
		if squatting.Addr().(*net.TCPAddr).IP.To4() != nil {
			other = "[::1]:" + p
		}
		_, err := tcp.Dial(t.Context(), other, nil)
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	}
}

func TestFixedPortThatIsTakenIsNotTriedAgain(t *testing.T) {
	needIPv6(t)
	ln, err := tcp.Listen(t.Context(), "[::1]:0", nil)
	require.NoError(t, err)
	defer ln.Close()
	p := port(t, addrOf(ln))
	var tries []string
	cfg := &tcp.ListenConfig{
		Resolver: &hosts{addrs: []string{"127.0.0.1", "::1"}},
		Options: tcp.Options{Control: func(network, _ string, _ syscall.RawConn) error {
			tries = append(tries, network)
			return nil
		}},
	}
	_, err = tcp.Listen(t.Context(), "host.test:"+p, cfg)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	assert.Equal(t, []string{"tcp4", "tcp6"}, slices.Compact(tries))
	_, err = tcp.Dial(t.Context(), "127.0.0.1:"+p, nil)
	assert.ErrorIs(t, err, syscall.ECONNREFUSED, "the other socket was closed")
}

func TestAddressThatIsNotOursIsAnErrorForTheWholeName(t *testing.T) {
	cfg := &tcp.ListenConfig{Resolver: &hosts{addrs: []string{"127.0.0.1", "192.0.2.1"}}}
	_, err := tcp.Listen(t.Context(), "host.test:0", cfg)
	require.ErrorContains(t, err, "192.0.2.1")
}

// failing is a resolver that knows IPv4 and whose lookup of IPv6 fails.
type failing struct{ err error }

func (f failing) Resolve(_ context.Context, _ happyeyeballs.Query, answer func(happyeyeballs.Answer)) error {
	answer(happyeyeballs.Answer{Family: happyeyeballs.IPv4, Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}})
	answer(happyeyeballs.Answer{Family: happyeyeballs.IPv6, Err: f.err})
	return nil
}

func TestAddressesThatCouldNotBeLearnedAreAnError(t *testing.T) {
	gone := &net.DNSError{Err: "no such host", IsNotFound: true}
	ln, err := tcp.Listen(t.Context(), "host.test:0", &tcp.ListenConfig{Resolver: failing{gone}})
	require.NoError(t, err, "that there are none is not")
	require.NoError(t, ln.Close())
	broken := &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	_, err = tcp.Listen(t.Context(), "host.test:0", &tcp.ListenConfig{Resolver: failing{broken}})
	require.ErrorIs(t, err, broken)

	_, err = tcp.Listen(t.Context(), "host.test:0", &tcp.ListenConfig{Resolver: &hosts{}})
	dns, ok := errors.AsType[*net.DNSError](err)
	require.True(t, ok, "%v", err)
	assert.True(t, dns.IsNotFound)
}

func TestListenTakesNamesAsDialDoes(t *testing.T) {
	h := &hosts{addrs: []string{"127.0.0.1"}}
	ln, err := tcp.Listen(t.Context(), "fa\u00df.test:", &tcp.ListenConfig{Resolver: h})
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	assert.Equal(t, "xn--fa-hia.test", h.asked[0].Host)
	_, err = tcp.Listen(t.Context(), "\u2028.test:0", nil)
	require.ErrorContains(t, err, "not a host name")
	_, err = tcp.Listen(t.Context(), "127.0.0.1:0", &tcp.ListenConfig{Family: happyeyeballs.IPv6})
	require.ErrorContains(t, err, "not an IPv6 address")
	_, err = tcp.Listen(t.Context(), "127.0.0.1:no-such-service", nil)
	require.ErrorContains(t, err, "no-such-service")

	ln, err = tcp.Listen(t.Context(), "localhost:0", nil)
	require.NoError(t, err)
	defer ln.Close()
	for _, a := range addrsOf(t, ln) {
		assert.True(t, a.Addr().IsLoopback())
		reaches(t, ln, a.String(), true)
	}
}

func TestListenOnALinkLocalAddressKeepsTheZone(t *testing.T) {
	zoned, ok := linkLocal(t)
	if !ok {
		t.Skip("no interface has a link-local address")
	}
	ln, err := tcp.Listen(t.Context(), netip.AddrPortFrom(zoned, 0).String(), nil)
	require.NoError(t, err)
	defer ln.Close()
	addr := addrsOf(t, ln)[0]
	assert.Equal(t, zoned, addr.Addr())
	reaches(t, ln, addr.String(), true)
}

func linkLocal(t *testing.T) (netip.Addr, bool) {
	t.Helper()
	ifis, err := net.Interfaces()
	require.NoError(t, err)
	for _, ifi := range ifis {
		addrs, err := ifi.Addrs()
		require.NoError(t, err)
		for _, a := range addrs {
			prefix, err := netip.ParsePrefix(a.String())
			if err == nil && prefix.Addr().Is6() && prefix.Addr().IsLinkLocalUnicast() && ifi.Flags&net.FlagUp != 0 {
				return prefix.Addr().WithZone(ifi.Name), true
			}
		}
	}
	return netip.Addr{}, false
}

func TestListenersMayShareAPort(t *testing.T) {
	cfg := &tcp.ListenConfig{ReusePort: true}
	a, err := tcp.Listen(t.Context(), "127.0.0.1:0", cfg)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
	defer a.Close()
	b, err := tcp.Listen(t.Context(), addrOf(a), cfg)
	require.NoError(t, err)
	require.NoError(t, b.Close())
	_, err = tcp.Listen(t.Context(), addrOf(a), nil)
	require.ErrorIs(t, err, syscall.EADDRINUSE, "not with one that has not the option")
}

func TestErrorOfControlIsTheError(t *testing.T) {
	ln := listen(t, nil)
	for _, no := range []error{errors.New("no"), os.ErrDeadlineExceeded} { // whosever deadline that is
		refuse := tcp.Options{Control: func(string, string, syscall.RawConn) error { return no }}
		_, err := tcp.Listen(context.Background(), "127.0.0.1:0", &tcp.ListenConfig{Options: refuse})
		require.ErrorIs(t, err, no)
		_, err = tcp.Dial(context.Background(), addrOf(ln), &tcp.DialConfig{Options: refuse})
		require.ErrorIs(t, err, no)
	}
}
