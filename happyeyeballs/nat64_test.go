package happyeyeballs_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/happyeyeballs"
)

// wellKnown is the answer of a DNS64 with the well-known prefix.
const wellKnown = "64:ff9b::c000:aa 64:ff9b::c000:ab"

func TestNAT64(t *testing.T) {
	const (
		literal     = "198.51.100.7"
		synthesized = "64:ff9b::c633:6407"
	)
	tests := []struct {
		name, rule, host string
		answers          []said // for the host
		arpa             []said // for ipv4only.arpa
		hosts            map[string]reaction
		source           func(netip.Addr) netip.Addr
		want             []string
		asked            int // lookups in all
	}{
		{
			name: "a literal goes through the prefix of the network", rule: "7.1", host: literal,
			arpa:  []said{{at: 20 * ms, family: v6, addrs: wellKnown}},
			hosts: map[string]reaction{literal: refuse(1), synthesized: quick}, source: only(v6),
			want: []string{"0s 198.51.100.7 failed 1ns", "20ms 64:ff9b::c633:6407 won 21ms"}, asked: 1,
		},
		{
			name: "no NAT64 here", rule: "7.1", host: literal, arpa: []said{{family: v6}},
			hosts: map[string]reaction{literal: refuse(1)}, source: only(v6),
			want: []string{"0s 198.51.100.7 failed 1ns"}, asked: 1,
		},
		{
			name: "with a route nothing is asked", rule: "7.1", host: literal, arpa: []said{{family: v6, addrs: wellKnown}},
			hosts: map[string]reaction{literal: refuse(1 * ms)}, source: dualStack,
			want: []string{"0s 198.51.100.7 failed 1ms"},
		},
		{
			name: "without any route nothing is asked", rule: "7.1", host: literal, arpa: []said{{family: v6, addrs: wellKnown}},
			hosts: map[string]reaction{literal: refuse(1)}, source: loopback,
			want: []string{"0s 198.51.100.7 failed 1ns"},
		},
		{
			name: "private addresses stay here", rule: "7.1", host: "10.0.0.1", arpa: []said{{family: v6, addrs: wellKnown}},
			hosts: map[string]reaction{"10.0.0.1": refuse(1)}, source: only(v6),
			want: []string{"0s 10.0.0.1 failed 1ns"},
		},
		{
			name: "bad AAAA: after 2 s the A records are of use", rule: "7.2", host: "host.test",
			answers: []said{{family: v6, addrs: b1}, {family: v4, addrs: literal}}, arpa: []said{{family: v6, addrs: wellKnown}},
			hosts: map[string]reaction{literal: refuse(1), synthesized: quick}, source: only(v6),
			want: []string{
				"0s 2001:db8::1 canceled 2.001s", "250ms 198.51.100.7 failed 250.000001ms", "2s 64:ff9b::c633:6407 won 2.001s",
			}, asked: 2,
		},
		{
			name: "not later than when all has failed", rule: "7.2", host: "host.test",
			answers: []said{{family: v6, addrs: b1}, {family: v4, addrs: literal}}, arpa: []said{{family: v6, addrs: wellKnown}},
			hosts: map[string]reaction{b1: refuse(30 * ms), literal: refuse(1), synthesized: quick}, source: only(v6),
			want: []string{
				"0s 2001:db8::1 failed 30ms", "30ms 198.51.100.7 failed 30.000001ms", "40ms 64:ff9b::c633:6407 won 41ms",
			}, asked: 2,
		},
		{
			name: "good AAAA: nothing is asked", rule: "7.2", host: "host.test",
			answers: []said{{family: v6, addrs: b1}, {family: v4, addrs: literal}},
			hosts:   map[string]reaction{b1: quick}, source: only(v6),
			want: []string{"0s 2001:db8::1 won 1ms"}, asked: 1,
		},
	}
	for _, tt := range tests {
		t.Run(tt.rule+"/"+tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: map[string][]said{"host.test": tt.answers, "ipv4only.arpa": tt.arpa}}
				n := &network{hosts: tt.hosts}
				_, report, _ := happyeyeballs.Dial(t.Context(), tt.host, 443, n.dial,
					&happyeyeballs.Config{Resolver: s, Source: tt.source})
				if diff := cmp.Diff(tt.want, attempts(report)); diff != "" {
					t.Errorf("attempts mismatch (-want +got):\n%s", diff)
				}
				assert.Len(t, s.asked(), tt.asked)
			})
		})
	}
}

func TestCancelEndsTheSearchForAPrefix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]said{"ipv4only.arpa": {{at: never, family: v6}}}}
		n := &network{hosts: map[string]reaction{"198.51.100.7": refuse(1)}}
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, _, err := happyeyeballs.Dial(ctx, "198.51.100.7", 443, n.dial, &happyeyeballs.Config{Resolver: s, Source: only(v6)})
		require.ErrorIs(t, err, errRefused)
		assert.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestPrefixesOfEveryLength(t *testing.T) {
	// The examples of RFC 6052 section 2.4, and the addresses of ipv4only.arpa
	// under the same prefixes.
	tests := []struct{ arpa, prefix, embedded string }{
		{"2001:db8:c000:aa::", "2001:db8::/32", "2001:db8:c000:221::"},
		{"2001:db8:1c0:0:aa::", "2001:db8:100::/40", "2001:db8:1c0:2:21::"},
		{"2001:db8:122:c000:0:aa00::", "2001:db8:122::/48", "2001:db8:122:c000:2:2100::"},
		{"2001:db8:122:3c0:0:aa::", "2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"},
		{"2001:db8:122:344:c0:0:aa00::", "2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"},
		{"2001:db8:122:344::c000:ab", "2001:db8:122:344::/96", "2001:db8:122:344::c000:221"},
	}
	for _, tt := range tests {
		t.Run(tt.prefix, func(t *testing.T) {
			prefixes := happyeyeballs.NAT64Prefixes(addrs(tt.arpa))
			assert.Equal(t, []netip.Prefix{netip.MustParsePrefix(tt.prefix)}, prefixes)
			got := happyeyeballs.Embed(netip.MustParsePrefix(tt.prefix), netip.MustParseAddr("192.0.2.33"))
			assert.Equal(t, netip.MustParseAddr(tt.embedded), got)
			assert.Equal(t, netip.MustParseAddr("192.0.2.33"), happyeyeballs.Extract(netip.MustParsePrefix(tt.prefix), got))
		})
	}
	assert.Empty(t, happyeyeballs.NAT64Prefixes(addrs("2001:db8::1")), "no DNS64 made this")
}

func TestPrefixesOfANAT64AreAFew(t *testing.T) {
	var many []netip.Addr
	for i := range 100 {
		many = append(many, happyeyeballs.Embed(netip.MustParsePrefix(fmt.Sprintf("2001:db8:%x::/96", i)), netip.MustParseAddr("192.0.0.170")))
	}
	assert.Len(t, happyeyeballs.NAT64Prefixes(many), 4)
}
