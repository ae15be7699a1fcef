package dns_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/internal/dns"
	"github.com/strata-go/strata/internal/dns/dnstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	v4 = netip.MustParseAddr("192.0.2.1")
	v6 = netip.MustParseAddr("2001:db8::1")

	addressTypes = []dnsmessage.Type{dnsmessage.TypeAAAA, dnsmessage.TypeA}
)

func serve(t *testing.T, handle func(dnstest.Query) dnstest.Reply) *dnstest.Server {
	t.Helper()
	s, err := dnstest.Listen("127.0.0.1:0", handle)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// client asks servers, each with enough time for a slow machine.
func client(cfg dns.Config, servers ...*dnstest.Server) *dns.Client {
	for _, s := range servers {
		cfg.Servers = append(cfg.Servers, s.Addr())
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	return dns.New(cfg)
}

// lookup returns the answers by type.
func lookup(t *testing.T, c *dns.Client, host string, types ...dnsmessage.Type) map[dnsmessage.Type]dns.Answer {
	t.Helper()
	got := map[dnsmessage.Type]dns.Answer{}
	require.NoError(t, c.Lookup(t.Context(), host, "", types, func(a dns.Answer) {
		require.NotContains(t, got, a.Type)
		got[a.Type] = a
	}))
	require.Len(t, got, len(types))
	return got
}

// dual answers with an address of either family.
func dual(q dnstest.Query) dnstest.Reply {
	if q.Type == dnsmessage.TypeA {
		return dnstest.Reply{Records: dnstest.Addrs(q.Name, v4)}
	}
	return dnstest.Reply{Records: dnstest.Addrs(q.Name, v6)}
}
