package happyeyeballs_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/dns/dnstest"
)

// dnsServer answers for dual.test in both families, for v4.test in IPv4 and
// for broken.test in IPv4 with a failure for IPv6.
func dnsServer(t *testing.T) *dnstest.Server {
	t.Helper()
	s, err := dnstest.Listen("127.0.0.1:0", func(q dnstest.Query) dnstest.Reply {
		switch {
		case q.Name == "broken.test" && q.Type == dnsmessage.TypeAAAA:
			return dnstest.Reply{RCode: dnsmessage.RCodeServerFailure}
		case q.Name == "v4.test" && q.Type == dnsmessage.TypeAAAA:
			return dnstest.Reply{}
		case q.Name == "none.test":
			return dnstest.Reply{RCode: dnsmessage.RCodeNameError}
		case q.Type == dnsmessage.TypeAAAA:
			return dnstest.Reply{Records: dnstest.Addrs(q.Name, netip.MustParseAddr(b1))}
		}
		return dnstest.Reply{Records: dnstest.Addrs(q.Name, netip.MustParseAddr(a1))}
	})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// resolve collects what a resolver answers.
func resolve(t *testing.T, r happyeyeballs.Resolver, q happyeyeballs.Query) map[happyeyeballs.Family]happyeyeballs.Answer {
	t.Helper()
	var mu sync.Mutex
	got := map[happyeyeballs.Family]happyeyeballs.Answer{}
	err := r.Resolve(t.Context(), q, func(a happyeyeballs.Answer) {
		mu.Lock()
		defer mu.Unlock()
		got[a.Family] = a
	})
	require.NoError(t, err)
	return got
}

func TestResolversAnswerForEachFamily(t *testing.T) {
	s := dnsServer(t)
	own, err := happyeyeballs.NewDNSResolver(&happyeyeballs.DNSConfig{Servers: []netip.AddrPort{s.Addr()}})
	require.NoError(t, err)
	system := &happyeyeballs.SystemResolver{Net: &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.Addr().String())
		},
	}}
	resolvers := map[string]happyeyeballs.Resolver{"DNS": own, "system": system}
	for name, r := range resolvers {
		t.Run(name, func(t *testing.T) {
			got := resolve(t, r, happyeyeballs.Query{Host: "dual.test"})
			assert.Equal(t, addrs(b1), got[v6].Addrs)
			assert.Equal(t, addrs(a1), got[v4].Addrs)

			got = resolve(t, r, happyeyeballs.Query{Host: "dual.test", Family: v4})
			assert.Len(t, got, 1)
			assert.Equal(t, addrs(a1), got[v4].Addrs)

			got = resolve(t, r, happyeyeballs.Query{Host: "dual.test", Family: v6})
			assert.Len(t, got, 1)
			assert.Equal(t, addrs(b1), got[v6].Addrs)

			got = resolve(t, r, happyeyeballs.Query{Host: "v4.test"})
			assert.Empty(t, got[v6].Addrs)
			assert.Equal(t, addrs(a1), got[v4].Addrs)

			got = resolve(t, r, happyeyeballs.Query{Host: "broken.test"})
			assert.Error(t, got[v6].Err)
			assert.Equal(t, addrs(a1), got[v4].Addrs)

			got = resolve(t, r, happyeyeballs.Query{Host: "none.test"})
			assert.ErrorContains(t, got[v6].Err, "no such host")
			assert.ErrorContains(t, got[v4].Err, "no such host")
		})
	}
}

func TestSystemResolverKnowsThisHost(t *testing.T) {
	got := resolve(t, &happyeyeballs.SystemResolver{}, happyeyeballs.Query{Host: "localhost", Family: v4})
	assert.Contains(t, got[v4].Addrs, netip.MustParseAddr("127.0.0.1"))
}

func TestCanceledResolversReturn(t *testing.T) {
	s, err := dnstest.Listen("127.0.0.1:0", func(dnstest.Query) dnstest.Reply { return dnstest.Reply{Drop: true} })
	require.NoError(t, err)
	defer s.Close()
	r, err := happyeyeballs.NewDNSResolver(&happyeyeballs.DNSConfig{Servers: []netip.AddrPort{s.Addr()}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, r.Resolve(ctx, happyeyeballs.Query{Host: "dual.test"}, func(happyeyeballs.Answer) {}), context.Canceled)
}

func TestDNSResolverReadsTheSystemsConfiguration(t *testing.T) {
	_, err := happyeyeballs.NewDNSResolver(nil)
	if _, missing := os.Stat("/etc/resolv.conf"); missing != nil {
		assert.ErrorIs(t, err, os.ErrNotExist)
	} else {
		assert.NoError(t, err)
	}
	own := happyeyeballs.DNSConfig{Ndots: 2, Search: []string{"own.test"}}
	system := happyeyeballs.DNSConfig{Ndots: 3, Attempts: 4, Servers: []netip.AddrPort{netip.MustParseAddrPort("[::1]:53")}, Rotate: true}
	want := happyeyeballs.DNSConfig{Ndots: 2, Search: []string{"own.test"}, Attempts: 4, Servers: system.Servers, Rotate: true}
	assert.Equal(t, want, happyeyeballs.Over(own, system))
}
