package happyeyeballs_test

import (
	"fmt"
	"net/netip"

	"github.com/strata-go/strata/happyeyeballs"
)

var contests = []contest{
	// Resolution.
	{
		name: "all answers at once", rule: "4.2",
		lines: []line{has(0, here("h3", "h2")), aaaa(0, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic6: quick},
		want: []string{"0s quic [2001:db8::1]:443 won 1ms"},
	},
	{
		name: "a record in 30 ms is waited for", rule: "4.2",
		lines: []line{has(30*ms, here("h3")), aaaa(0, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic6: quick},
		want: []string{"30ms quic [2001:db8::1]:443 won 31ms"},
	},
	{
		name: "a record in 49 ms is waited for", rule: "4.2",
		lines: []line{has(49*ms, here("h2")), aaaa(0, b1), a(0, a1)}, as: web, hosts: map[string]reaction{tcp6: quick},
		want: []string{"49ms tcp [2001:db8::1]:443 won 50ms"},
	},
	{
		name: "a record that never comes costs 50 ms", rule: "4.2",
		lines: []line{has(never), aaaa(0, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic6: quick},
		want: []string{"50ms quic [2001:db8::1]:443 won 51ms"},
	},
	{
		name: "the delay counts from the first address", rule: "4.2",
		lines: []line{has(never), aaaa(20*ms, b1), a(10*ms, a1)}, as: web, hosts: map[string]reaction{quic6: quick},
		want: []string{"60ms quic [2001:db8::1]:443 won 61ms"},
	},
	{
		name: "a resolution delay of one's own", rule: "9",
		lines: []line{has(never), aaaa(0, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic6: quick},
		cfg:  happyeyeballs.Config{ResolutionDelay: 20 * ms},
		want: []string{"20ms quic [2001:db8::1]:443 won 21ms"},
	},
	{
		name: "no records: at once", rule: "4.2",
		lines: []line{has(20 * ms), aaaa(0, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic6: quick},
		want: []string{"20ms quic [2001:db8::1]:443 won 21ms"},
	},
	{
		name: "records that cannot be had: at once", rule: "4.2",
		lines: []line{failing(has(10 * ms)), aaaa(0, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic6: quick},
		want: []string{"10ms quic [2001:db8::1]:443 won 11ms"},
	},
	{
		name: "a resolver that knows no records", rule: "4.2",
		lines: []line{aaaa(5*ms, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic6: quick},
		want: []string{"5ms quic [2001:db8::1]:443 won 6ms"},
	},
	{
		name: "no records wanted", rule: "4.2",
		lines: []line{has(never, here("h3")), aaaa(0, b1), a(0, a1)}, as: own, hosts: map[string]reaction{quic6: quick},
		want: []string{"0s quic [2001:db8::1]:443 won 1ms"}, asked: []string{"host.test IP"},
	},
	{
		name: "the preferred family in 30 ms is waited for", rule: "4.2",
		lines: []line{has(0, here("h3")), aaaa(30*ms, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic6: quick},
		want: []string{"30ms quic [2001:db8::1]:443 won 31ms"},
	},
	{
		name: "the preferred family that never answers costs 50 ms", rule: "4.2",
		lines: []line{has(0, here("h3")), aaaa(never, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic4: quick},
		want: []string{"50ms quic 192.0.2.1:443 won 51ms"},
	},
	{
		name: "the preferred family is empty: at once", rule: "4.2",
		lines: []line{has(0, here("h3")), aaaa(15*ms, ""), a(0, a1)}, as: web, hosts: map[string]reaction{quic4: quick},
		want: []string{"15ms quic 192.0.2.1:443 won 16ms"},
	},
	{
		name: "the other family is not waited for", rule: "4.2",
		lines: []line{has(0, here("h3")), aaaa(0, b1), a(never, a1)}, as: web, hosts: map[string]reaction{quic6: quick},
		want: []string{"0s quic [2001:db8::1]:443 won 1ms"},
	},
	{
		name: "no addresses: nothing to start", rule: "4.2",
		lines: []line{has(0, here("h3")), aaaa(0, ""), a(0, "")}, as: web, err: "no such host",
	},

	// Questions.
	{
		name: "records first, and both families", rule: "4.1",
		lines: []line{has(0, here("h3")), aaaa(0, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic6: quick},
		want: []string{"0s quic [2001:db8::1]:443 won 1ms"}, asked: []string{"host.test IP HTTPS"},
	},
	{
		name: "without IPv6 only IPv4 is asked for, and preferred", rule: "4.1",
		lines: []line{has(0, here("h3")), aaaa(0, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic4: quick},
		cfg:  happyeyeballs.Config{Source: only(v4)},
		want: []string{"0s quic 192.0.2.1:443 won 1ms"}, asked: []string{"host.test IPv4 HTTPS"},
	},
	{
		name: "without IPv4 only IPv6 is asked for, and NAT64", rule: "4.1",
		lines: []line{has(0, here("h3")), aaaa(0, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic6: quick},
		cfg:  happyeyeballs.Config{Source: only(v6)},
		want: []string{"0s quic [2001:db8::1]:443 won 1ms"}, asked: []string{"host.test IPv6 HTTPS", "ipv4only.arpa IPv6"},
	},
	{
		name: "link-local addresses are no connectivity", rule: "4.1",
		lines: []line{has(0, here("h3")), a(0, a1)}, as: web, hosts: map[string]reaction{quic4: quick},
		cfg: happyeyeballs.Config{Source: func(dst netip.Addr) netip.Addr {
			if dst.Is6() {
				return netip.MustParseAddr("fe80::1")
			}
			return dualStack(dst)
		}},
		want: []string{"0s quic 192.0.2.1:443 won 1ms"}, asked: []string{"host.test IPv4 HTTPS"},
	},
	{
		name: "without a network the host may be this one", rule: "4.1",
		lines: []line{aaaa(0, "::1"), a(0, "127.0.0.1")}, as: own, hosts: map[string]reaction{"quic [::1]:443": quick},
		cfg:  happyeyeballs.Config{Source: loopback},
		want: []string{"0s quic [::1]:443 won 1ms"}, asked: []string{"host.test IP"},
	},
	{
		name: "a family that is not wanted is not asked for", rule: "4.1",
		lines: []line{has(0, hints(here("h3"), b1+" "+a1)), a(never, "")}, as: web, hosts: map[string]reaction{quic4: quick},
		cfg:  happyeyeballs.Config{Family: v4},
		want: []string{"0s quic 192.0.2.1:443 won 1ms"}, asked: []string{"host.test IPv4 HTTPS"},
	},

	// Hints.
	{
		name: "a hint counts as an answer", rule: "4.2.1",
		lines: []line{has(10*ms, hints(here("h3"), b1)), aaaa(never, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic6: quick},
		want: []string{"10ms quic [2001:db8::1]:443 won 11ms"},
	},
	{
		name: "a hint of the other family waits for the preferred one", rule: "4.2.1",
		lines: []line{has(10*ms, hints(here("h3"), a1)), aaaa(never, b1), a(never, a1)}, as: web, hosts: map[string]reaction{quic4: quick},
		want: []string{"60ms quic 192.0.2.1:443 won 61ms"},
	},
	{
		name: "the addresses replace hints that were not tried", rule: "7",
		lines: []line{has(0, hints(here("h3"), b1+" "+b2)), aaaa(100*ms, b3), a(0, "")}, as: web,
		hosts: map[string]reaction{"quic [2001:db8::3]:443": quick},
		want:  []string{"0s quic [2001:db8::1]:443 canceled 251ms", "250ms quic [2001:db8::3]:443 won 251ms"},
	},
	{
		name: "a hint that was tried goes on", rule: "7",
		lines: []line{has(0, hints(here("h3"), b1)), aaaa(100*ms, b3), a(0, "")}, as: web,
		hosts: map[string]reaction{quic6: {after: 200 * ms}},
		want:  []string{"0s quic [2001:db8::1]:443 won 200ms"},
	},
	{
		name: "hints go when there are no addresses", rule: "7",
		lines: []line{has(0, hints(here("h3"), b1+" "+b2)), aaaa(100*ms, ""), a(0, a1)}, as: web, hosts: map[string]reaction{quic4: quick},
		want: []string{"0s quic [2001:db8::1]:443 canceled 251ms", "250ms quic 192.0.2.1:443 won 251ms"},
	},
	{
		name: "hints stay when addresses cannot be had", rule: "7",
		lines: []line{has(0, hints(here("h3"), b1+" "+b2)), failing(aaaa(100*ms, "")), a(0, "")}, as: web,
		hosts: map[string]reaction{"quic [2001:db8::2]:443": quick},
		want:  []string{"0s quic [2001:db8::1]:443 canceled 251ms", "250ms quic [2001:db8::2]:443 won 251ms"},
	},

	// Targets and aliases.
	{
		name: "the addresses of a target are asked for when it is known", rule: "4.2.1",
		lines: []line{
			has(20*ms, there(1, "svc.test", "h3")), aaaa(0, b1), a(0, a1),
			of("svc.test", aaaa(5*ms, b2)), of("svc.test", a(0, a2)),
		},
		as: web, hosts: map[string]reaction{"quic [2001:db8::2]:443": quick},
		want:  []string{"25ms quic [2001:db8::2]:443 won 26ms"},
		asked: []string{"host.test IP HTTPS", "svc.test. IP"},
	},
	{
		name: "a target that takes too long comes when it can", rule: "4.2.1",
		lines: []line{
			has(0, there(1, "svc.test", "h3")), aaaa(0, b1), a(0, ""),
			of("svc.test", aaaa(90*ms, b2)), of("svc.test", a(90*ms, "")),
		},
		as: web, hosts: map[string]reaction{"quic [2001:db8::2]:443": quick},
		want: []string{"50ms quic [2001:db8::1]:443 canceled 301ms", "300ms quic [2001:db8::2]:443 won 301ms"},
	},
	{
		name: "two records of one target ask once", rule: "4.2.1",
		lines: []line{
			has(0, there(1, "SVC.test", "h3"), there(2, "svc.test", "h2")), aaaa(0, b1), a(0, ""),
			of("SVC.test", aaaa(0, b2)), of("SVC.test", a(0, "")),
		},
		as: web, hosts: map[string]reaction{"quic [2001:db8::2]:443": quick},
		want:  []string{"0s quic [2001:db8::2]:443 won 1ms"},
		asked: []string{"host.test IP HTTPS", "SVC.test. IP"},
	},
	{
		name: "another port has a name of its own", rule: "RFC 9460 2.3",
		lines: []line{has(0, there(1, "host.test", "h3")), aaaa(0, b1), a(0, a1)}, as: web, port: 8443,
		hosts: map[string]reaction{"quic [2001:db8::1]:8443": quick},
		want:  []string{"0s quic [2001:db8::1]:8443 won 1ms"}, asked: []string{"host.test IP HTTPS _8443._https."},
	},
	{
		name: "plain HTTP asks for the records of HTTPS", rule: "RFC 9460 9.1",
		lines: []line{has(0, here("h2")), aaaa(0, b1), a(0, a1)}, as: web, port: 80,
		hosts: map[string]reaction{"tcp [2001:db8::1]:80": quick},
		want:  []string{"0s tcp [2001:db8::1]:80 won 1ms"}, asked: []string{"host.test IP HTTPS"},
	},
	{
		name: "other services have SVCB records", rule: "RFC 9460 2.3",
		lines: []line{has(0, there(1, "host.test", "dot")), aaaa(0, b1), a(0, a1)}, port: 853,
		as:    happyeyeballs.Service{Protocols: []happyeyeballs.Protocol{{ALPN: "doq", Transport: happyeyeballs.QUIC}, {ALPN: "dot"}}, Records: "_dns"},
		hosts: map[string]reaction{"tcp [2001:db8::1]:853": quick},
		want:  []string{"0s tcp [2001:db8::1]:853 won 1ms"}, asked: []string{"host.test IP SVCB _dns."},
	},
	{
		name: "a record of a name with a prefix is about that", rule: "RFC 9460 2.5.2",
		lines: []line{
			has(0, here("h3")), aaaa(0, b1), a(0, a1),
			of("_8443._https.host.test", aaaa(0, b2)), of("_8443._https.host.test", a(0, "")),
		},
		as: web, port: 8443, hosts: map[string]reaction{"quic [2001:db8::2]:8443": quick},
		want:  []string{"0s quic [2001:db8::2]:8443 won 1ms"},
		asked: []string{"host.test IP HTTPS _8443._https.", "_8443._https.host.test IP"},
	},
	{
		name: "an alias is followed to its records and addresses", rule: "RFC 9460 3",
		lines: []line{
			has(5*ms, there(0, "one.test")), aaaa(0, b1), a(0, a1),
			of("one.test", has(10*ms, there(0, "two.test"))), of("one.test", aaaa(0, b2)), of("one.test", a(0, "")),
			of("two.test", has(10*ms, here("h3"))), of("two.test", aaaa(0, b3)), of("two.test", a(0, "")),
		},
		as: web, hosts: map[string]reaction{"quic [2001:db8::3]:443": quick},
		want:  []string{"25ms quic [2001:db8::3]:443 won 26ms"},
		asked: []string{"host.test IP HTTPS", "one.test. IP HTTPS", "two.test. IP HTTPS"},
	},
	{
		name: "an alias loses the prefix", rule: "RFC 9460 3",
		lines: []line{
			has(0, there(0, "one.test")), aaaa(0, b1), a(0, ""),
			of("one.test", has(0, here("h3"))), of("one.test", aaaa(0, b2)), of("one.test", a(0, "")),
		},
		as: web, port: 8443, hosts: map[string]reaction{"quic [2001:db8::2]:8443": quick},
		want:  []string{"0s quic [2001:db8::2]:8443 won 1ms"},
		asked: []string{"host.test IP HTTPS _8443._https.", "one.test. IP HTTPS"},
	},
	{
		name: "the end of aliases comes before the host's own addresses", rule: "RFC 9460 3",
		lines: []line{
			has(0, there(0, "one.test")), aaaa(0, b1), a(0, ""),
			of("one.test", has(0)), of("one.test", aaaa(0, b2)), of("one.test", a(0, "")),
		},
		as: tcpOnly, hosts: map[string]reaction{tcp6: quick},
		want: []string{"0s tcp [2001:db8::2]:443 canceled 251ms", "250ms tcp [2001:db8::1]:443 won 251ms"},
	},
	{
		name: "an alias rules out services beside it", rule: "RFC 9460 2.4.1",
		lines: []line{
			has(0, here("h3"), there(0, "one.test")), aaaa(0, b1), a(0, ""),
			of("one.test", has(0, here("h2"))), of("one.test", aaaa(0, b2)), of("one.test", a(0, "")),
		},
		as: web, hosts: map[string]reaction{"tcp [2001:db8::2]:443": quick},
		want: []string{"0s tcp [2001:db8::2]:443 won 1ms"},
	},
	{
		name: "an alias of nothing is no record", rule: "RFC 9460 2.5.1",
		lines: []line{has(0, there(0, "")), aaaa(0, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic6: quick},
		want: []string{"0s quic [2001:db8::1]:443 won 1ms"}, asked: []string{"host.test IP HTTPS"},
	},
	{
		name: "aliases in a circle lead nowhere", rule: "RFC 9460 3.1",
		lines: []line{
			has(0, there(0, "one.test")), aaaa(0, b1), a(0, ""),
			of("one.test", has(10*ms, there(0, "Host.Test"))), of("one.test", aaaa(0, "")), of("one.test", a(0, "")),
		},
		as: tcpOnly, hosts: map[string]reaction{tcp6: refuse(0)},
		want: []string{"10ms tcp [2001:db8::1]:443 failed 10ms"}, err: "aliases of a service that lead nowhere",
		asked: []string{"host.test IP HTTPS", "one.test. IP HTTPS"},
	},
	{
		name: "eight aliases are followed", rule: "RFC 9460 3.1",
		lines: chain(8), as: tcpOnly, hosts: map[string]reaction{"tcp [2001:db8::2]:443": quick},
		want: []string{"0s tcp [2001:db8::2]:443 won 1ms"},
	},
	{
		name: "the ninth is not", rule: "RFC 9460 3.1",
		lines: chain(9), as: tcpOnly, hosts: map[string]reaction{tcp6: quick},
		want: []string{"0s tcp [2001:db8::1]:443 won 1ms"},
	},

	// Order.
	{
		name: "QUIC and TCP are raced in one list", rule: "5.1",
		lines: []line{aaaa(0, b1), a(0, a1)}, as: own, hosts: map[string]reaction{tcp4: quick},
		want: []string{
			"0s quic [2001:db8::1]:443 canceled 751ms", "250ms quic 192.0.2.1:443 canceled 751ms",
			"500ms tcp [2001:db8::1]:443 canceled 751ms", "750ms tcp 192.0.2.1:443 won 751ms",
		},
	},
	{
		name: "what the caller likes best comes first", rule: "5.1",
		lines: []line{aaaa(0, b1), a(0, a1)},
		as:    happyeyeballs.Service{Protocols: []happyeyeballs.Protocol{{ALPN: "own"}, {ALPN: "own", Transport: happyeyeballs.QUIC}}},
		hosts: map[string]reaction{quic6: quick},
		want: []string{
			"0s tcp [2001:db8::1]:443 canceled 501ms", "250ms tcp 192.0.2.1:443 canceled 501ms", "500ms quic [2001:db8::1]:443 won 501ms",
		},
	},
	{
		name: "a service without protocols is one over TCP", rule: "5.1",
		lines: []line{aaaa(0, b1), a(0, a1)}, hosts: map[string]reaction{tcp4: quick},
		want: []string{"0s tcp [2001:db8::1]:443 canceled 251ms", "250ms tcp 192.0.2.1:443 won 251ms"},
	},
	{
		name: "protocols take turns, lest one wait for many addresses", rule: "5.1",
		lines: []line{aaaa(0, b1+" "+b2+" "+b3), a(0, a1)}, as: own, hosts: map[string]reaction{"tcp [2001:db8::2]:443": quick},
		want: []string{
			"0s quic [2001:db8::1]:443 canceled 1.501s", "250ms quic 192.0.2.1:443 canceled 1.501s",
			"500ms tcp [2001:db8::1]:443 canceled 1.501s", "750ms tcp 192.0.2.1:443 canceled 1.501s",
			"1s quic [2001:db8::2]:443 canceled 1.501s", "1.25s quic [2001:db8::3]:443 canceled 1.501s",
			"1.5s tcp [2001:db8::2]:443 won 1.501s",
		},
	},
	{
		name: "no turns", rule: "5.1",
		lines: []line{aaaa(0, b1+" "+b2), a(0, a1)}, as: own, hosts: map[string]reaction{tcp6: quick},
		cfg: happyeyeballs.Config{FirstFamilyCount: -1},
		want: []string{
			"0s quic [2001:db8::1]:443 canceled 751ms", "250ms quic [2001:db8::2]:443 canceled 751ms",
			"500ms quic 192.0.2.1:443 canceled 751ms", "750ms tcp [2001:db8::1]:443 won 751ms",
		},
	},
	{
		// The example of the draft: svc2 has no HTTP/3.
		name: "endpoints are grouped by what they speak", rule: "5.1",
		lines: []line{
			has(0, hints(there(2, "svc1.test", "h3", "h2"), b2), hints(there(1, "svc2.test", "h2"), b3)), aaaa(0, ""), a(0, ""),
		},
		as:    web,
		hosts: map[string]reaction{"quic [2001:db8::2]:443": refuse(10 * ms), "tcp [2001:db8::2]:443": refuse(20 * ms), "tcp [2001:db8::3]:443": refuse(20 * ms)},
		want: []string{
			"0s quic [2001:db8::2]:443 failed 10ms", "10ms tcp [2001:db8::3]:443 failed 30ms", "30ms tcp [2001:db8::2]:443 failed 50ms",
		},
		err: "tcp [2001:db8::3]:443: refused; tcp [2001:db8::2]:443: refused",
	},
	{
		name: "a protocol liked less comes after one liked more, whatever the priority", rule: "5.1",
		lines: []line{
			has(0, hints(there(1, "svc1.test", "http/1.1"), b2), hints(there(2, "svc2.test", "h2"), b3)), aaaa(0, b1), a(0, ""),
		},
		as:    tcpOnly,
		hosts: map[string]reaction{"tcp [2001:db8::2]:443": quick},
		want:  []string{"0s tcp [2001:db8::3]:443 canceled 251ms", "250ms tcp [2001:db8::2]:443 won 251ms"},
	},
	{
		name: "the lower priority comes first, with all of its addresses", rule: "5.2",
		lines: []line{
			has(0, hints(there(2, "svc2.test", "h2"), b3), hints(there(1, "svc1.test", "h2"), b2+" "+a2)), aaaa(0, ""), a(0, ""),
		},
		as:    tcpOnly,
		hosts: map[string]reaction{"tcp [2001:db8::3]:443": quick},
		want: []string{
			"0s tcp [2001:db8::2]:443 canceled 501ms", "250ms tcp 192.0.2.2:443 canceled 501ms", "500ms tcp [2001:db8::3]:443 won 501ms",
		},
	},
	{
		name: "addresses that belong to no service come last", rule: "5.2",
		lines: []line{has(0, hints(there(9, "svc.test", "h2"), a2)), aaaa(0, b1), a(0, "")},
		as:    tcpOnly, hosts: map[string]reaction{tcp6: quick},
		want: []string{"50ms tcp 192.0.2.2:443 canceled 301ms", "300ms tcp [2001:db8::1]:443 won 301ms"},
	},
	{
		name: "the port is the record's", rule: "5.2",
		lines: []line{has(0, happyeyeballs.Record{Priority: 1, ALPN: []string{"h2"}, Port: 8443}), aaaa(0, b1), a(0, "")},
		as:    tcpOnly, hosts: map[string]reaction{"tcp [2001:db8::1]:8443": quick},
		want: []string{"0s tcp [2001:db8::1]:8443 won 1ms"},
	},
	{
		name: "one way in two records is tried once", rule: "5.2",
		lines: []line{has(0, there(1, "svc1.test", "h2"), there(2, "svc2.test", "h2")), aaaa(0, ""), a(0, ""),
			of("svc1.test", aaaa(0, b2)), of("svc1.test", a(0, "")), of("svc2.test", aaaa(0, b2+" "+b3)), of("svc2.test", a(0, "")),
		},
		as: tcpOnly, hosts: map[string]reaction{"tcp [2001:db8::2]:443": refuse(20 * ms), "tcp [2001:db8::3]:443": quick},
		want: []string{"0s tcp [2001:db8::2]:443 failed 20ms", "20ms tcp [2001:db8::3]:443 won 21ms"},
	},
	{
		name: "addresses of a service sort by RFC 6724 and take turns", rule: "5.3",
		lines: []line{has(0, here("h2")), aaaa(0, "fd00::1 "+b1+" "+b2), a(0, a1)},
		as:    tcpOnly, hosts: map[string]reaction{"tcp [fd00::1]:443": quick},
		want: []string{
			"0s tcp [2001:db8::1]:443 canceled 751ms", "250ms tcp 192.0.2.1:443 canceled 751ms",
			"500ms tcp [2001:db8::2]:443 canceled 751ms", "750ms tcp [fd00::1]:443 won 751ms",
		},
	},
	{
		name: "two of the preferred family first", rule: "5.3",
		lines: []line{has(0, here("h2")), aaaa(0, b1+" "+b2), a(0, a1)},
		as:    tcpOnly, hosts: map[string]reaction{tcp4: quick}, cfg: happyeyeballs.Config{FirstFamilyCount: 2},
		want: []string{
			"0s tcp [2001:db8::1]:443 canceled 501ms", "250ms tcp [2001:db8::2]:443 canceled 501ms", "500ms tcp 192.0.2.1:443 won 501ms",
		},
	},
	{
		name: "what cannot be reached comes after all", rule: "5.3",
		lines: []line{has(0, hints(there(1, "svc.test", "h2"), b2)), aaaa(0, ""), a(0, a1)},
		as:    tcpOnly, hosts: map[string]reaction{tcp4: quick},
		cfg: happyeyeballs.Config{Source: func(dst netip.Addr) netip.Addr {
			if dst == netip.MustParseAddr(b2) {
				return netip.Addr{}
			}
			return dualStack(dst)
		}},
		want: []string{"0s tcp 192.0.2.1:443 won 1ms"},
	},

	// Success and progress.
	{
		name: "an attempt that gets on puts the next off", rule: "6.1",
		lines: []line{has(0, here("h2")), aaaa(0, b1), a(0, a1)}, as: tcpOnly,
		hosts: map[string]reaction{tcp6: {answers: 100 * ms}, tcp4: quick},
		want:  []string{"0s tcp [2001:db8::1]:443 canceled 351ms", "350ms tcp 192.0.2.1:443 won 351ms"},
	},
	{
		name: "an attempt that gets on and succeeds is alone", rule: "6.1",
		lines: []line{has(0, here("h2")), aaaa(0, b1), a(0, a1)}, as: tcpOnly,
		hosts: map[string]reaction{tcp6: {answers: 200 * ms, after: 400 * ms}, tcp4: quick},
		want:  []string{"0s tcp [2001:db8::1]:443 won 400ms"},
	},
	{
		name: "an attempt that gets on has not won", rule: "6.1",
		lines: []line{has(0, here("h2")), aaaa(0, b1), a(0, a1)}, as: tcpOnly,
		hosts: map[string]reaction{tcp6: {answers: 20 * ms, after: 3000 * ms}, tcp4: {answers: 10 * ms, after: 40 * ms}},
		want:  []string{"0s tcp [2001:db8::1]:443 canceled 310ms", "270ms tcp 192.0.2.1:443 won 310ms"},
	},
	{
		name: "a transport that fails makes way at once", rule: "6",
		lines: []line{has(0, here("h3", "h2")), aaaa(0, b1), a(0, "")}, as: web,
		hosts: map[string]reaction{quic6: refuse(30 * ms), tcp6: quick},
		want:  []string{"0s quic [2001:db8::1]:443 failed 30ms", "30ms tcp [2001:db8::1]:443 won 31ms"},
	},
	{
		name: "but not within 10 ms", rule: "6",
		lines: []line{has(0, here("h3", "h2")), aaaa(0, b1), a(0, "")}, as: web,
		hosts: map[string]reaction{quic6: refuse(1 * ms), tcp6: quick},
		want:  []string{"0s quic [2001:db8::1]:443 failed 1ms", "10ms tcp [2001:db8::1]:443 won 11ms"},
	},

	// ALPN.
	{
		name: "a service that speaks other protocols is not tried", rule: "6.2",
		lines: []line{has(0, happyeyeballs.Record{Priority: 1, ALPN: []string{"h3"}, NoDefaultALPN: true}), aaaa(0, b1), a(0, a1)},
		as:    tcpOnly, err: "host.test speaks none of our protocols, but h3",
	},
	{
		name: "nor are its hints or its target", rule: "6.2",
		lines: []line{
			has(0, happyeyeballs.Record{Priority: 1, Target: "svc.test", ALPN: []string{"h3"}, NoDefaultALPN: true, IPv6Hints: addrs(b2)}),
			aaaa(0, b1), a(0, ""), of("svc.test", aaaa(0, b3)), of("svc.test", a(0, "")),
		},
		as: tcpOnly, hosts: map[string]reaction{tcp6: quick},
		want: []string{"0s tcp [2001:db8::1]:443 won 1ms"},
	},
	{
		name: "the default protocol is spoken unless it is denied", rule: "RFC 9460 7.1.1",
		lines: []line{has(0, here("h3")), aaaa(0, b1), a(0, "")}, as: tcpOnly, hosts: map[string]reaction{tcp6: quick},
		want: []string{"0s tcp [2001:db8::1]:443 won 1ms"},
	},
	{
		name: "and is all that is spoken if nothing is said", rule: "RFC 9460 7.1.1",
		lines: []line{has(0, here()), aaaa(0, b1), a(0, "")}, as: web, hosts: map[string]reaction{tcp6: quick},
		want: []string{"0s tcp [2001:db8::1]:443 won 1ms"},
	},
	{
		name: "other services have no default", rule: "RFC 9460 7.1.1",
		lines: []line{has(0, there(1, "host.test")), aaaa(0, b1), a(0, "")}, hosts: map[string]reaction{quic6: quick},
		as:   happyeyeballs.Service{Protocols: own.Protocols, Records: "_own"},
		want: []string{"0s quic [2001:db8::1]:443 won 1ms"},
	},
	{
		name: "a protocol without a name is spoken everywhere", rule: "6.2",
		lines: []line{has(0, here("h3")), aaaa(0, b1), a(0, "")}, hosts: map[string]reaction{tcp6: quick},
		as:   happyeyeballs.Service{Records: "https"},
		want: []string{"0s tcp [2001:db8::1]:443 won 1ms"},
	},

	// Encrypted Client Hello.
	{
		name: "a configuration reaches the attempts", rule: "RFC 9848",
		lines: []line{has(0, ech(here("h3", "h2"))), aaaa(0, b1), a(0, "")}, as: webWith(happyeyeballs.ECHOffered),
		hosts: map[string]reaction{tcp6: quick},
		want:  []string{"0s quic [2001:db8::1]:443 ech canceled 251ms", "250ms tcp [2001:db8::1]:443 ech won 251ms"},
	},
	{
		name: "unless nobody wants it", rule: "RFC 9848",
		lines: []line{has(0, ech(here("h3"))), aaaa(0, b1), a(0, "")}, as: web, hosts: map[string]reaction{quic6: quick},
		want: []string{"0s quic [2001:db8::1]:443 won 1ms"},
	},
	{
		name: "where all services have it there is no way around it", rule: "RFC 9848 5.1",
		lines: []line{has(0, ech(hints(there(1, "svc.test", "h2"), b2))), aaaa(0, b1), a(0, a1)}, as: webWith(happyeyeballs.ECHOffered),
		hosts: map[string]reaction{"tcp [2001:db8::2]:443": refuse(20 * ms), tcp6: quick, tcp4: quick},
		want:  []string{"0s tcp [2001:db8::2]:443 ech failed 20ms"}, err: "refused",
	},
	{
		name: "where one has not there is", rule: "RFC 9848 5.1",
		lines: []line{has(0, ech(hints(there(1, "svc.test", "h2"), b2)), hints(there(2, "svc2.test", "h2"), b3)), aaaa(0, b1), a(0, "")},
		as:    happyeyeballs.Service{Protocols: tcpOnly.Protocols, Records: "https", ECH: happyeyeballs.ECHOffered},
		hosts: map[string]reaction{"tcp [2001:db8::2]:443": refuse(20 * ms), "tcp [2001:db8::3]:443": refuse(20 * ms), tcp6: quick},
		want: []string{
			"0s tcp [2001:db8::2]:443 ech failed 20ms", "20ms tcp [2001:db8::3]:443 failed 40ms", "40ms tcp [2001:db8::1]:443 won 41ms",
		},
	},
	{
		name: "who does not rely on it keeps the host's order", rule: "5.1",
		lines: []line{has(0, hints(there(1, "svc1.test", "h2"), b2), ech(hints(there(2, "svc2.test", "h2"), b3))), aaaa(0, ""), a(0, "")},
		as:    webWith(happyeyeballs.ECHOffered), hosts: map[string]reaction{"tcp [2001:db8::2]:443": quick},
		want: []string{"0s tcp [2001:db8::2]:443 won 1ms"},
	},
	{
		name: "who relies on it has it first", rule: "5.1",
		lines: []line{has(0, hints(there(1, "svc1.test", "h3", "h2"), b2), ech(hints(there(2, "svc2.test", "h2"), b3))), aaaa(0, ""), a(0, "")},
		as:    webWith(happyeyeballs.ECHRelied), hosts: map[string]reaction{"tcp [2001:db8::2]:443": quick},
		want: []string{
			"0s tcp [2001:db8::3]:443 ech canceled 501ms", "250ms quic [2001:db8::2]:443 canceled 501ms", "500ms tcp [2001:db8::2]:443 won 501ms",
		},
	},
	{
		name: "who relies on it waits for the record", rule: "6.3",
		lines: []line{has(400*ms, ech(here("h3"))), aaaa(0, b1), a(0, a1)}, as: webWith(happyeyeballs.ECHRelied),
		hosts: map[string]reaction{quic6: quick},
		want:  []string{"400ms quic [2001:db8::1]:443 ech won 401ms"},
	},
	{
		name: "also behind an alias", rule: "6.3",
		lines: []line{
			has(0, there(0, "one.test")), aaaa(0, b1), a(0, a1),
			of("one.test", has(400*ms, ech(here("h3")))), of("one.test", aaaa(0, b2)), of("one.test", a(0, "")),
		},
		as: webWith(happyeyeballs.ECHRelied), hosts: map[string]reaction{"quic [2001:db8::2]:443": quick},
		want: []string{"400ms quic [2001:db8::2]:443 ech won 401ms"},
	},
	{
		name: "and goes without it if there is none", rule: "6.3",
		lines: []line{has(400 * ms), aaaa(0, b1), a(0, a1)}, as: webWith(happyeyeballs.ECHRelied), hosts: map[string]reaction{quic6: quick},
		want: []string{"400ms quic [2001:db8::1]:443 won 401ms"},
	},
	{
		name: "and gives up if that cannot be known", rule: "6.3",
		lines: []line{failing(has(400 * ms)), aaaa(0, b1), a(0, a1)}, as: webWith(happyeyeballs.ECHRelied), hosts: map[string]reaction{quic6: quick},
		err: "server misbehaving",
	},
	{
		name: "and does not wait for a lookup that it does not make", rule: "6.3",
		lines: []line{aaaa(0, b1), a(0, a1)},
		as:    happyeyeballs.Service{Protocols: own.Protocols, ECH: happyeyeballs.ECHRelied}, hosts: map[string]reaction{quic6: quick},
		want: []string{"0s quic [2001:db8::1]:443 won 1ms"},
	},

	// Changes while it goes on.
	{
		name: "late IPv4 is next after one IPv6", rule: "7",
		lines: []line{has(0, here("h2")), aaaa(0, b1+" "+b2), a(100*ms, a1)}, as: tcpOnly, hosts: map[string]reaction{tcp4: quick},
		want: []string{"0s tcp [2001:db8::1]:443 canceled 251ms", "250ms tcp 192.0.2.1:443 won 251ms"},
	},
	{
		name: "a late record puts its services first, and does not hurry them", rule: "7",
		lines: []line{has(120*ms, hints(there(1, "svc.test", "h3"), b2)), aaaa(0, b1), a(0, a1)}, as: web,
		hosts: map[string]reaction{"quic [2001:db8::2]:443": quick},
		want:  []string{"50ms quic [2001:db8::1]:443 canceled 301ms", "300ms quic [2001:db8::2]:443 won 301ms"},
	},
	{
		name: "a late record does not repeat what was tried", rule: "7",
		lines: []line{has(120*ms, here("h3", "h2")), aaaa(0, b1), a(0, a1)}, as: web, hosts: map[string]reaction{quic4: quick},
		want: []string{"50ms quic [2001:db8::1]:443 canceled 301ms", "300ms quic 192.0.2.1:443 won 301ms"},
	},
	{
		name: "a late record may rule out what was not tried", rule: "7",
		lines: []line{has(120*ms, here("h3")), aaaa(0, b1), a(0, a1)},
		as:    happyeyeballs.Service{Protocols: web.Protocols[:2], Records: "https"}, hosts: map[string]reaction{quic6: {after: 2000 * ms}},
		want: []string{"50ms quic [2001:db8::1]:443 won 2.05s", "300ms quic 192.0.2.1:443 canceled 2.05s"},
	},
	{
		name: "a late record starts at once what all else has failed for", rule: "7",
		lines: []line{has(500*ms, hints(there(1, "svc.test", "h2"), b2)), aaaa(0, b1), a(0, "")}, as: tcpOnly,
		hosts: map[string]reaction{tcp6: refuse(20 * ms), "tcp [2001:db8::2]:443": quick},
		want:  []string{"50ms tcp [2001:db8::1]:443 failed 70ms", "500ms tcp [2001:db8::2]:443 won 501ms"},
	},

	// NAT64.
	{
		name: "IPv4 addresses are asked for once there is a NAT64", rule: "8.1",
		lines: []line{aaaa(0, ""), a(10*ms, far), of("ipv4only.arpa", aaaa(20*ms, wellKnown))}, as: tcpOnly,
		cfg: happyeyeballs.Config{Source: only(v6)}, hosts: map[string]reaction{"tcp [64:ff9b::c633:6407]:443": quick},
		want:  []string{"30ms tcp [64:ff9b::c633:6407]:443 won 31ms"},
		asked: []string{"host.test IPv6 HTTPS", "ipv4only.arpa IPv6", "host.test IPv4"},
	},
	{
		name: "not without a NAT64", rule: "8.1",
		lines: []line{aaaa(0, ""), a(0, far), of("ipv4only.arpa", aaaa(20*ms, ""))}, as: tcpOnly,
		cfg: happyeyeballs.Config{Source: only(v6)}, err: "no such host",
		asked: []string{"host.test IPv6 HTTPS", "ipv4only.arpa IPv6"},
	},
	{
		name: "hints of IPv4 go through the NAT64 as well", rule: "8.2",
		lines: []line{has(0, hints(here("h2"), far)), aaaa(0, ""), a(never, ""), of("ipv4only.arpa", aaaa(20*ms, wellKnown))}, as: tcpOnly,
		cfg: happyeyeballs.Config{Source: only(v6)}, hosts: map[string]reaction{"tcp [64:ff9b::c633:6407]:443": quick},
		want: []string{"20ms tcp [64:ff9b::c633:6407]:443 won 21ms"},
	},
	{
		name: "private addresses do not fit the well-known prefix", rule: "8.2",
		lines: []line{aaaa(0, b1), a(0, "10.0.0.1"), of("ipv4only.arpa", aaaa(0, wellKnown))}, as: tcpOnly,
		cfg: happyeyeballs.Config{Source: only(v6)}, hosts: map[string]reaction{tcp6: refuse(20 * ms), "tcp 10.0.0.1:443": refuse(20 * ms)},
		want: []string{"0s tcp [2001:db8::1]:443 failed 20ms", "20ms tcp 10.0.0.1:443 failed 40ms"}, err: "refused",
	},
	{
		name: "they fit a network's own", rule: "8.2",
		lines: []line{aaaa(0, b1), a(0, "10.0.0.1"), of("ipv4only.arpa", aaaa(0, "2001:db8:64::c000:aa"))}, as: tcpOnly,
		cfg: happyeyeballs.Config{Source: only(v6)}, hosts: map[string]reaction{"tcp [2001:db8:64::a00:1]:443": quick},
		want: []string{"0s tcp [2001:db8::1]:443 canceled 251ms", "250ms tcp [2001:db8:64::a00:1]:443 won 251ms"},
	},
	{
		name: "addresses of this network are not translated", rule: "8.2",
		lines: []line{aaaa(0, b1), a(0, "169.254.0.1"), of("ipv4only.arpa", aaaa(0, "2001:db8:64::c000:aa"))}, as: tcpOnly,
		cfg: happyeyeballs.Config{Source: only(v6)}, hosts: map[string]reaction{tcp6: refuse(20 * ms), "tcp 169.254.0.1:443": refuse(20 * ms)},
		want: []string{"0s tcp [2001:db8::1]:443 failed 20ms", "20ms tcp 169.254.0.1:443 failed 40ms"}, err: "refused",
	},
	{
		name: "an address through every prefix", rule: "8.2",
		lines: []line{aaaa(0, ""), a(0, far), of("ipv4only.arpa", aaaa(0, wellKnown+" 2001:db8:64::c000:aa"))}, as: tcpOnly,
		cfg: happyeyeballs.Config{Source: only(v6)}, hosts: map[string]reaction{"tcp [2001:db8:64::c633:6407]:443": quick},
		want: []string{"0s tcp [64:ff9b::c633:6407]:443 canceled 251ms", "250ms tcp [2001:db8:64::c633:6407]:443 won 251ms"},
	},
	{
		name: "what a DNS64 has made counts as IPv4", rule: "8.3",
		lines: []line{aaaa(0, "64:ff9b::c633:6407 "+b1), a(0, ""), of("ipv4only.arpa", aaaa(0, ""))}, as: tcpOnly,
		cfg: happyeyeballs.Config{Source: only(v6)}, hosts: map[string]reaction{"tcp [64:ff9b::c633:6407]:443": quick},
		want: []string{"0s tcp [2001:db8::1]:443 canceled 251ms", "250ms tcp [64:ff9b::c633:6407]:443 won 251ms"},
	},
	{
		name: "also under a prefix of the network", rule: "8.3",
		lines: []line{aaaa(10*ms, "2001:db8:64::c633:6407 "+b1), a(0, ""), of("ipv4only.arpa", aaaa(0, "2001:db8:64::c000:aa"))}, as: tcpOnly,
		cfg: happyeyeballs.Config{Source: only(v6)}, hosts: map[string]reaction{"tcp [2001:db8:64::c633:6407]:443": quick},
		want: []string{"10ms tcp [2001:db8::1]:443 canceled 261ms", "260ms tcp [2001:db8:64::c633:6407]:443 won 261ms"},
	},
	{
		name: "and is reached over IPv4 where there is IPv4", rule: "8.3",
		lines: []line{aaaa(0, "64:ff9b::c633:6407"), a(0, far)}, as: tcpOnly, hosts: map[string]reaction{"tcp 198.51.100.7:443": quick},
		want: []string{"0s tcp 198.51.100.7:443 won 1ms"},
	},
	{
		name: "unless IPv4 is ruled out", rule: "8.3",
		lines: []line{aaaa(0, "64:ff9b::c633:6407")}, as: tcpOnly, cfg: happyeyeballs.Config{Family: v6},
		hosts: map[string]reaction{"tcp [64:ff9b::c633:6407]:443": quick},
		want:  []string{"0s tcp [64:ff9b::c633:6407]:443 won 1ms"},
	},
}

// far is an IPv4 address that needs a NAT64.
const far = "198.51.100.7"

// chain returns the lines of host.test with so many aliases before the record.
func chain(n int) []line {
	host := "host.test"
	lines := []line{aaaa(0, b1), a(0, "")}
	for i := range n {
		next := fmt.Sprintf("a%d.test", i)
		lines = append(lines, of(host, has(0, there(0, next))), of(next, aaaa(0, "")), of(next, a(0, "")))
		host = next
	}
	return append(lines, of(host, has(0, hints(there(1, "svc.test", "h2"), b2))))
}
