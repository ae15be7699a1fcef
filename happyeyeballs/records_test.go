package happyeyeballs_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/dns/dnstest"
)

func TestDNSResolverAsksForRecordsFirst(t *testing.T) {
	s, err := dnstest.Listen("127.0.0.1:0", func(q dnstest.Query) dnstest.Reply {
		switch q.Type {
		case dnsmessage.TypeHTTPS:
			return dnstest.Reply{Records: []dnsmessage.Resource{
				dnstest.HTTPS(q.Name, 2, "svc.test.", dnstest.ALPN("h3", "h2"), dnstest.Hint(netip.MustParseAddr(a1))),
				dnstest.HTTPS(q.Name, 1, ".", dnstest.ALPN("h2")),
			}}
		case dnsmessage.TypeSVCB:
			return dnstest.Reply{Records: []dnsmessage.Resource{dnstest.SVCB(q.Name, 1, ".", dnstest.ALPN("dot"))}}
		case dnsmessage.TypeAAAA:
			return dnstest.Reply{Records: dnstest.Addrs(q.Name, netip.MustParseAddr(b1))}
		}
		return dnstest.Reply{Records: dnstest.Addrs(q.Name, netip.MustParseAddr(a1))}
	})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	r, err := happyeyeballs.NewDNSResolver(&happyeyeballs.DNSConfig{Servers: []netip.AddrPort{s.Addr()}})
	require.NoError(t, err)

	got := resolve(t, r, happyeyeballs.Query{Host: "host.test", Records: happyeyeballs.HTTPS, Prefix: "_8443._https."})
	assert.Equal(t, []happyeyeballs.Record{
		{Priority: 2, Target: "svc.test", ALPN: []string{"h3", "h2"}, IPv4Hints: addrs(a1)},
		{Priority: 1, ALPN: []string{"h2"}},
	}, got[0].Records)
	assert.Equal(t, addrs(b1), got[v6].Addrs)
	assert.Equal(t, addrs(a1), got[v4].Addrs)
	asked := s.Asked()
	require.Len(t, asked, 3)
	assert.Equal(t, "_8443._https.host.test", asked[0].Name)
	assert.Equal(t, dnsmessage.TypeHTTPS, asked[0].Type)
	assert.Equal(t, dnsmessage.TypeAAAA, asked[1].Type)
	assert.Equal(t, dnsmessage.TypeA, asked[2].Type)

	got = resolve(t, r, happyeyeballs.Query{Host: "host.test", Family: v4, Records: happyeyeballs.SVCB, Prefix: "_dns."})
	assert.Equal(t, []happyeyeballs.Record{{Priority: 1, ALPN: []string{"dot"}}}, got[0].Records)
	assert.Len(t, got, 2)
}
