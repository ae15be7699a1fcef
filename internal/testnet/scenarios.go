package testnet

import (
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/internal/dns/dnstest"
)

// A Scenario is a host as it is found on the Internet.
type Scenario struct {
	Name string        // what is the matter with it
	Host string        // its name or address
	Want time.Duration // when the attempt that succeeds starts, by RFC 8305
	Addr string        // where that goes

	aaaa, a records
}

// name is the host's in the DNS. A short one is searched for.
func (s Scenario) name() string {
	if strings.Contains(s.Host, ".") {
		return s.Host
	}
	return s.Host + "." + domain
}

// Patience returns the delays for the race of a scenario in which the winner
// starts after want. One that is not to pass is so long that it cannot on a slow
// machine either; zero is the default.
func Patience(want time.Duration) (resolution, attempt time.Duration) {
	if want != 50*ms {
		resolution = 10 * time.Second
	}
	if want < 250*ms {
		attempt = 2 * time.Second
	}
	return resolution, attempt
}

const ms = time.Millisecond

func have(addrs ...string) records { return records{addrs: addrs} }

func late(d time.Duration, addrs ...string) records {
	return records{addrs: addrs, Reply: dnstest.Reply{Delay: d}}
}

func failing(code dnsmessage.RCode) records { return records{Reply: dnstest.Reply{RCode: code}} }

var (
	nothing = records{}
	silent  = records{Reply: dnstest.Reply{Drop: true}}
)

// Scenarios are the hosts that the DNS of a [Host] knows.
var Scenarios = []Scenario{
	{Name: "all good", Host: "good.test", Want: 0, Addr: v6Good, aaaa: have(v6Good), a: have(v4Good)},
	{Name: "IPv4 only", Host: "v4.test", Want: 0, Addr: v4Good, aaaa: nothing, a: have(v4Good)},
	{Name: "IPv6 only", Host: "v6.test", Want: 0, Addr: v6Good, aaaa: have(v6Good), a: nothing},
	{Name: "AAAA 30 ms late", Host: "aaaa30.test", Want: 30 * ms, Addr: v6Good, aaaa: late(30*ms, v6Good), a: have(v4Good)},
	{Name: "AAAA 2 s late", Host: "aaaa2s.test", Want: 50 * ms, Addr: v4Good, aaaa: late(2000*ms, v6Good), a: have(v4Good)},
	{Name: "AAAA dropped", Host: "noaaaa.test", Want: 50 * ms, Addr: v4Good, aaaa: silent, a: have(v4Good)},
	{Name: "A 2 s late", Host: "a2s.test", Want: 0, Addr: v6Good, aaaa: have(v6Good), a: late(2000*ms, v4Good)},
	{Name: "A dropped", Host: "noa.test", Want: 0, Addr: v6Good, aaaa: have(v6Good), a: silent},
	{Name: "AAAA NXDOMAIN", Host: "nxaaaa.test", Want: 0, Addr: v4Good, aaaa: failing(dnsmessage.RCodeNameError), a: have(v4Good)},
	{Name: "AAAA SERVFAIL", Host: "sfaaaa.test", Want: 0, Addr: v4Good, aaaa: failing(dnsmessage.RCodeServerFailure), a: have(v4Good)},
	{Name: "A SERVFAIL", Host: "sfa.test", Want: 0, Addr: v6Good, aaaa: have(v6Good), a: failing(dnsmessage.RCodeServerFailure)},
	{
		Name: "truncated answers", Host: "truncated.test", Want: 0, Addr: v6Good,
		aaaa: records{addrs: []string{v6Good}, Reply: dnstest.Reply{Truncate: true}},
		a:    records{addrs: []string{v4Good}, Reply: dnstest.Reply{Truncate: true}},
	},
	{
		Name: "an alias", Host: "alias.test", Want: 0, Addr: v6Good,
		aaaa: records{addrs: []string{v6Good}, alias: "target.test"}, a: records{addrs: []string{v4Good}, alias: "target.test"},
	},
	{Name: "a name that is searched for", Host: "short", Want: 0, Addr: v6Good, aaaa: have(v6Good), a: have(v4Good)},
	{Name: "IPv6 without a route", Host: "lost6.test", Want: 0, Addr: v4Good, aaaa: have(v6Lost), a: have(v4Good)},
	{Name: "IPv6 refused", Host: "deaf6.test", Want: 10 * ms, Addr: v4Good, aaaa: have(v6Deaf), a: have(v4Good)},
	{Name: "IPv6 blackholed, IPv4 good", Host: "bad6.test", Want: 250 * ms, Addr: v4Good, aaaa: have(v6Bad), a: have(v4Good)},
	{Name: "IPv6 blackholed and good, no IPv4", Host: "badgood6.test", Want: 250 * ms, Addr: v6Good, aaaa: have(v6Bad, v6Good), a: nothing},
	{
		Name: "IPv6 bad, bad, good; IPv4 bad", Host: "badbadgood6.test", Want: 750 * ms, Addr: v6Good,
		aaaa: have(v6Bad, v6Bad2, v6Good), a: have(v4Bad),
	},
	{Name: "IPv4 literal behind NAT64", Host: v4Far, Want: 10 * ms, Addr: v6FromFar},
	{Name: "AAAA bad, A behind NAT64", Host: "nat64.test", Want: 2000 * ms, Addr: v6FromFar, aaaa: have(v6Bad), a: have(v4Far)},
}
