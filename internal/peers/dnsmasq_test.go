//go:build linux

package peers_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/dns"
	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/tcp"
)

// A zone is dnsmasq with hosts under test.
type zone struct {
	server netip.AddrPort
	many   map[dnsmessage.Type][]netip.Addr // those of many.test, too many for a packet
}

func startZone(t *testing.T) zone {
	t.Helper()
	z := zone{many: map[dnsmessage.Type][]netip.Addr{}}
	var hosts strings.Builder
	hosts.WriteString("192.0.2.1 dual.test\n2001:db8::1 dual.test\n192.0.2.2 v4.test\n127.0.0.1 here.test\n")
	for i := range 120 {
		for kind, format := range map[dnsmessage.Type]string{dnsmessage.TypeA: "192.0.2.%d", dnsmessage.TypeAAAA: "2001:db8::%d"} {
			addr := netip.MustParseAddr(fmt.Sprintf(format, i+100))
			z.many[kind] = append(z.many[kind], addr)
			fmt.Fprintf(&hosts, "%s many.test\n", addr)
		}
	}
	// An HTTPS record of dual.test: priority 1, itself, ALPN "h2".
	z.server = peers.Dnsmasq(t, hosts.String(), "--cname=alias.test,dual.test", "--dns-rr=dual.test,65,00010000010003026832")
	return z
}

func (z zone) lookup(t *testing.T, cfg dns.Config, host string, types ...dnsmessage.Type) map[dnsmessage.Type]dns.Answer {
	t.Helper()
	cfg.Servers = []netip.AddrPort{z.server}
	got := map[dnsmessage.Type]dns.Answer{}
	err := dns.New(cfg).Lookup(limited(t), host, "", types, func(a dns.Answer) { got[a.Type] = a })
	require.NoError(t, err)
	require.Len(t, got, len(types))
	return got
}

func TestDnsmasqAnswersOurClient(t *testing.T) {
	z := startZone(t)
	v4, v6 := []netip.Addr{netip.MustParseAddr("192.0.2.1")}, []netip.Addr{netip.MustParseAddr("2001:db8::1")}
	addresses := []dnsmessage.Type{dnsmessage.TypeAAAA, dnsmessage.TypeA}
	for name, cfg := range map[string]dns.Config{"UDP": {}, "TCP": {TCP: true}} {
		t.Run("addresses, "+name, func(t *testing.T) {
			got := z.lookup(t, cfg, "dual.test", addresses...)
			assert.Equal(t, v6, got[dnsmessage.TypeAAAA].Addrs)
			assert.Equal(t, v4, got[dnsmessage.TypeA].Addrs)
		})
	}
	t.Run("an alias", func(t *testing.T) {
		got := z.lookup(t, dns.Config{}, "alias.test", addresses...)
		assert.Equal(t, v6, got[dnsmessage.TypeAAAA].Addrs)
		assert.Equal(t, v4, got[dnsmessage.TypeA].Addrs)
	})
	t.Run("a search list", func(t *testing.T) {
		got := z.lookup(t, dns.Config{Search: []string{"other.test", "test"}}, "dual", dnsmessage.TypeA)
		assert.Equal(t, v4, got[dnsmessage.TypeA].Addrs)
	})
	t.Run("one family", func(t *testing.T) {
		got := z.lookup(t, dns.Config{}, "v4.test", addresses...)
		assert.Equal(t, []netip.Addr{netip.MustParseAddr("192.0.2.2")}, got[dnsmessage.TypeA].Addrs)
		assertNotFound(t, got[dnsmessage.TypeAAAA].Err, "v4.test")
	})
	t.Run("no such name", func(t *testing.T) {
		got := z.lookup(t, dns.Config{}, "none.test", addresses...)
		assertNotFound(t, got[dnsmessage.TypeAAAA].Err, "none.test")
		assertNotFound(t, got[dnsmessage.TypeA].Err, "none.test")
	})
	t.Run("more than a packet holds", func(t *testing.T) {
		got := z.lookup(t, dns.Config{}, "many.test", addresses...)
		for _, kind := range addresses {
			assert.ElementsMatch(t, z.many[kind], got[kind].Addrs)
		}
	})
	t.Run("a service", func(t *testing.T) {
		got := z.lookup(t, dns.Config{}, "dual.test", dnsmessage.TypeHTTPS)
		assert.Equal(t, []dns.Service{{Priority: 1, ALPN: []string{"h2"}}}, got[dnsmessage.TypeHTTPS].Services)
	})
	t.Run("a server that refuses", func(t *testing.T) {
		got := z.lookup(t, dns.Config{}, "example.com", dnsmessage.TypeA) // without a server to ask
		var e *net.DNSError
		require.ErrorAs(t, got[dnsmessage.TypeA].Err, &e)
		assert.False(t, e.IsNotFound, "%v", e)
	})
}

func assertNotFound(t *testing.T, err error, name string) {
	t.Helper()
	var e *net.DNSError
	require.ErrorAs(t, err, &e)
	assert.True(t, e.IsNotFound, "%v", e)
	assert.Equal(t, name, e.Name)
}

func TestDialAsksDnsmasq(t *testing.T) {
	z := startZone(t)
	ctx := limited(t)
	resolver, err := happyeyeballs.NewDNSResolver(&happyeyeballs.DNSConfig{Servers: []netip.AddrPort{z.server}})
	require.NoError(t, err)
	cfg := &tcp.DialConfig{Race: happyeyeballs.Config{Resolver: resolver}}
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	require.NoError(t, err)
	defer ln.Close()
	addr, _ := tcp.LocalAddrPort.Lookup(ln)
	conn, err := tcp.Dial(ctx, fmt.Sprintf("here.test:%d", addr.Port()), cfg)
	require.NoError(t, err)
	defer conn.Close()
	remote, _ := tcp.RemoteAddrPort.Lookup(conn)
	assert.Equal(t, addr, remote)
	report, err := tcp.Race.Get(conn)
	require.NoError(t, err)
	require.Len(t, report.Attempts, 1)

	_, err = tcp.Dial(ctx, "none.test:80", cfg)
	var e *net.DNSError
	require.ErrorAs(t, err, &e)
	assert.True(t, e.IsNotFound, "%v", e)

	families := map[happyeyeballs.Family]int{}
	err = resolver.Resolve(ctx, happyeyeballs.Query{Host: "many.test"}, func(a happyeyeballs.Answer) {
		families[a.Family] = len(a.Addrs)
	})
	require.NoError(t, err)
	assert.Equal(t, map[happyeyeballs.Family]int{happyeyeballs.IPv4: 120, happyeyeballs.IPv6: 120}, families)
}
