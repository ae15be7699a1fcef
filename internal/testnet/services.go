package testnet

import (
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/internal/dns/dnstest"
)

// A Server is an address of a host of services, and what is served there on
// port 443: HTTP/3 over QUIC and HTTP/2 over TLS, by name if not in fact.
type Server struct {
	Addr   string
	Stalls bool // TCP connections are accepted, and nothing is said
	Slow   bool // QUIC does not come to the end of a handshake
}

// Servers are what a test has to serve after [UpServices]. UDP does not reach
// those at the addresses without UDP, nor TCP those without TCP. Their IPv4
// addresses, which come last, are of no use, lest they win on a slow machine.
var Servers = []Server{
	{Addr: v6Good}, {Addr: v4Good},
	{Addr: v6NoUDP}, {Addr: v4NoUDP, Stalls: true},
	{Addr: v6NoTCP}, {Addr: v4NoTCP, Slow: true},
	{Addr: v6Stalls, Stalls: true},
	{Addr: v6Slow, Slow: true},
}

const (
	v6NoUDP  = "2001:db8:1::2"
	v4NoUDP  = "192.0.2.2"
	v6NoTCP  = "2001:db8:1::3"
	v4NoTCP  = "192.0.2.3"
	v6Stalls = "2001:db8:1::4"
	v6Slow   = "2001:db8:1::5"
)

// UpServices makes a host with both families and routes for both, for
// Services. It has a DNS server, and the servers are the test's.
func UpServices() (*Host, error) {
	addrs := []string{v4Good + "/32", v4NoUDP + "/32", v4NoTCP + "/32"}
	for _, a := range []string{v6Good, v6NoUDP, v6NoTCP, v6Stalls, v6Slow} {
		addrs = append(addrs, a+"/128 nodad")
	}
	routes := []string{"::/0 dev lo", "0.0.0.0/0 dev lo"}
	drops := []string{v6NoUDP + " udp", v4NoUDP + " udp", v6Stalls + " udp", v6NoTCP + " tcp", v4NoTCP + " tcp"}
	if err := configure(addrs, routes, drops, map[string]string{resolvConf: resolver}); err != nil {
		return nil, err
	}
	return hostOf(answerServices)
}

// hostOf returns a host with a DNS server.
func hostOf(answer func(dnstest.Query) dnstest.Reply) (*Host, error) {
	dns, err := dnstest.Listen(dnsAddr, answer)
	if err != nil {
		return nil, err
	}
	return &Host{Port: 443, DNS: dns.Addr(), dns: dns}, nil
}

// A Service is a host of services as it is found on the Internet.
type Service struct {
	Name      string        // what is the matter with it
	Host      string        // its name
	PreferTCP bool          // the client likes HTTP/2 best
	Want      time.Duration // when the attempt that succeeds starts at the earliest, by the draft of version 3
	Over      string        // what with: "quic" or "tcp"
	Addr      string        // where that goes

	zone
}

// speaks has a service at the host itself, of these protocols.
func speaks(alpn ...string) records { return leads(1, ".", dnstest.ALPN(alpn...)) }

func leads(priority uint16, target string, params ...dnsmessage.SVCParam) records {
	return records{service: func(name string) dnsmessage.Resource {
		return dnstest.HTTPS(name, priority, target, params...)
	}}
}

// Late reports whether the answer about service records (0) or a family of
// addresses (4, 6) comes when nobody should wait for it any more.
func (z zone) Late(kind int) bool {
	r := map[int]records{0: z.https, 4: z.a, 6: z.aaaa}[kind]
	return r.Drop || r.Delay >= tooLate
}

// tooLate is a delay after which a race is long over, on a slow machine too.
const tooLate = 20 * time.Second

// in has r so much later.
func in(d time.Duration, r records) records {
	r.Delay = d
	return r
}

func dropped(r records) records {
	r.Drop = true
	return r
}

// Services are the hosts that the DNS of UpServices knows.
var Services = []Service{
	{
		Name: "all good", Host: "good.test", Want: 0, Over: "quic", Addr: v6Good,
		zone: zone{https: speaks("h3", "h2"), aaaa: have(v6Good), a: have(v4Good)},
	},
	{
		Name: "no HTTP/3", Host: "h2.test", Want: 0, Over: "tcp", Addr: v6Good,
		zone: zone{https: speaks("h2"), aaaa: have(v6Good), a: have(v4Good)},
	},
	{
		Name: "UDP blocked", Host: "noudp.test", Want: 500 * ms, Over: "tcp", Addr: v6NoUDP,
		zone: zone{https: speaks("h3", "h2"), aaaa: have(v6NoUDP), a: have(v4NoUDP)},
	},
	{
		Name: "TCP blocked", Host: "notcp.test", PreferTCP: true, Want: 500 * ms, Over: "quic", Addr: v6NoTCP,
		zone: zone{https: speaks("h3", "h2"), aaaa: have(v6NoTCP), a: have(v4NoTCP)},
	},
	{
		Name: "IPv6 stalls in TLS", Host: "stalls.test", Want: 250 * ms, Over: "tcp", Addr: v4Good,
		zone: zone{https: speaks("h2"), aaaa: have(v6Stalls), a: have(v4Good)},
	},
	{
		Name: "QUIC slower than TCP", Host: "slow.test", Want: 250 * ms, Over: "tcp", Addr: v6Slow,
		zone: zone{https: speaks("h3", "h2"), aaaa: have(v6Slow), a: nothing},
	},
	{
		Name: "a record 30 ms late", Host: "https30.test", Want: 30 * ms, Over: "tcp", Addr: v6Good,
		zone: zone{https: in(30*ms, speaks("h2")), aaaa: have(v6Good), a: have(v4Good)},
	},
	{
		Name: "a record that comes late", Host: "httpslate.test", Want: 50 * ms, Over: "quic", Addr: v6Good,
		zone: zone{https: in(tooLate, speaks("h2")), aaaa: have(v6Good), a: have(v4Good)},
	},
	{
		Name: "a record that never comes", Host: "nohttps.test", Want: 50 * ms, Over: "quic", Addr: v6Good,
		zone: zone{https: dropped(speaks("h2")), aaaa: have(v6Good), a: have(v4Good)},
	},
	{
		Name: "no records", Host: "plain.test", Want: 0, Over: "quic", Addr: v6Good,
		zone: zone{https: nothing, aaaa: have(v6Good), a: have(v4Good)},
	},
	{
		Name: "HTTPS SERVFAIL", Host: "sfhttps.test", Want: 0, Over: "quic", Addr: v6Good,
		zone: zone{https: failing(dnsmessage.RCodeServerFailure), aaaa: have(v6Good), a: have(v4Good)},
	},
	{
		Name: "a hint, and addresses dropped", Host: "hint.test", Want: 0, Over: "quic", Addr: v6Good,
		zone: zone{https: leads(1, ".", dnstest.ALPN("h3"), dnstest.Hint(netip.MustParseAddr(v6Good))), aaaa: silent, a: silent},
	},
	{
		Name: "AAAA 30 ms late", Host: "aaaa30.test", Want: 30 * ms, Over: "quic", Addr: v6Good,
		zone: zone{https: speaks("h3"), aaaa: late(30*ms, v6Good), a: have(v4Good)},
	},
	{
		Name: "an alias of another host", Host: "alias.test", Want: 0, Over: "tcp", Addr: v6Good,
		zone: zone{https: leads(0, "h2.test."), aaaa: have(v6Slow), a: nothing},
	},
	{
		Name: "a service of another host", Host: "elsewhere.test", Want: 0, Over: "quic", Addr: v6Good,
		zone: zone{https: leads(1, "good.test.", dnstest.ALPN("h3")), aaaa: have(v6Slow), a: nothing},
	},
}

// answerServices is the DNS of all services.
func answerServices(q dnstest.Query) dnstest.Reply { return answerFrom(Services, q) }

func answerFrom(services []Service, q dnstest.Query) dnstest.Reply {
	for _, s := range services {
		if s.Host == q.Name {
			return s.zone.reply(q)
		}
	}
	return dnstest.Reply{RCode: dnsmessage.RCodeNameError}
}
