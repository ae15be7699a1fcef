package testnet

import (
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/internal/dns/dnstest"
)

// The NAT64 of a network that has a prefix of its own (RFC 6052 section 2.2):
// v6ToFar is the way to v4Far.
const (
	nat64Prefix = "2001:db8:64::"
	v6ToFar     = nat64Prefix + "cb00:7107"
)

// NAT64Servers are what a test has to serve after [UpNAT64]. There is no
// translator: the server is where one would lead to.
var NAT64Servers = []Server{{Addr: v6ToFar}}

// UpNAT64 makes a host that has a route for IPv6 alone, in a network with a
// NAT64, for NAT64Services. It has a DNS server, and the servers are the
// test's.
func UpNAT64() (*Host, error) {
	addrs := []string{v6Good + "/128 nodad", v6ToFar + "/128 nodad"}
	if err := configure(addrs, []string{"::/0 dev lo"}, nil, map[string]string{resolvConf: resolver}); err != nil {
		return nil, err
	}
	return hostOf(func(q dnstest.Query) dnstest.Reply {
		if q.Name == "ipv4only.arpa" && q.Type == dnsmessage.TypeAAAA {
			return have(nat64Prefix+"192.0.0.170", nat64Prefix+"192.0.0.171").reply(q.Name)
		}
		return answerFrom(NAT64Services, q)
	})
}

// NAT64Services are the hosts that the DNS of UpNAT64 knows, and an address.
// None has an IPv6 address of its own.
var NAT64Services = []Service{
	{Name: "an IPv4 address", Host: v4Far, Over: "quic", Addr: v6ToFar},
	{
		Name: "a name with IPv4 alone", Host: "v4.test", Over: "quic", Addr: v6ToFar,
		zone: zone{https: nothing, aaaa: nothing, a: have(v4Far)},
	},
	{
		Name: "a service without HTTP/3", Host: "h2.test", Over: "tcp", Addr: v6ToFar,
		zone: zone{https: speaks("h2"), aaaa: nothing, a: have(v4Far)},
	},
	{
		Name: "a hint of IPv4", Host: "hint.test", Over: "quic", Addr: v6ToFar,
		zone: zone{https: leads(1, ".", dnstest.ALPN("h3"), dnstest.Hint(netip.MustParseAddr(v4Far))), aaaa: nothing, a: silent},
	},
	{
		Name: "an AAAA record that a DNS64 made", Host: "dns64.test", Over: "quic", Addr: v6ToFar,
		zone: zone{https: nothing, aaaa: have(v6ToFar), a: have(v4Far)},
	},
}

// FarIPv4 is an IPv4 address to which the host of UpNAT64 has no route.
const FarIPv4 = v4Far
