package happyeyeballs_test

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/happyeyeballs"
)

const (
	v4 = happyeyeballs.IPv4
	v6 = happyeyeballs.IPv6
)

var (
	errNoName   = &net.DNSError{Err: "no such host", Name: "host.test", IsNotFound: true}
	errServFail = &net.DNSError{Err: "server misbehaving", Name: "host.test", IsTemporary: true}
)

// A scenario is a race whose every start is known.
type scenario struct {
	name    string
	rule    string // the section of RFC 8305 that it holds
	answers []said
	hosts   map[string]reaction
	cfg     happyeyeballs.Config
	want    []string // start, address, outcome, end
	took    time.Duration
}

// a1 and b1 to b3 are addresses whose place is that in which the resolver puts
// them: RFC 6724 finds no difference but for the family.
const (
	a1 = "192.0.2.1"
	a2 = "192.0.2.2"
	b1 = "2001:db8::1"
	b2 = "2001:db8::2"
	b3 = "2001:db8::3"
)

var both = []said{{family: v6, addrs: b1}, {family: v4, addrs: a1}}

var scenarios = []scenario{
	// Resolution.
	{
		name: "both families answer at once", rule: "3",
		answers: both, hosts: map[string]reaction{b1: quick},
		want: []string{"0s 2001:db8::1 won 1ms"}, took: 1 * ms,
	},
	{
		name: "IPv6 first does not wait for IPv4", rule: "3",
		answers: []said{{family: v6, addrs: b1}, {at: 2000 * ms, family: v4, addrs: a1}},
		hosts:   map[string]reaction{b1: quick},
		want:    []string{"0s 2001:db8::1 won 1ms"}, took: 1 * ms,
	},
	{
		name: "IPv6 first does not wait for IPv4 that never comes", rule: "3",
		answers: []said{{at: 7 * ms, family: v6, addrs: b1}, {at: never, family: v4}},
		hosts:   map[string]reaction{b1: quick},
		want:    []string{"7ms 2001:db8::1 won 8ms"}, took: 8 * ms,
	},
	{
		name: "IPv4 first waits for IPv6, which comes in 30 ms", rule: "3",
		answers: []said{{family: v4, addrs: a1}, {at: 30 * ms, family: v6, addrs: b1}},
		hosts:   map[string]reaction{b1: quick},
		want:    []string{"30ms 2001:db8::1 won 31ms"}, took: 31 * ms,
	},
	{
		name: "IPv4 first waits for IPv6, which comes in 49 ms", rule: "3",
		answers: []said{{family: v4, addrs: a1}, {at: 49 * ms, family: v6, addrs: b1}},
		hosts:   map[string]reaction{b1: quick},
		want:    []string{"49ms 2001:db8::1 won 50ms"}, took: 50 * ms,
	},
	{
		name: "the resolution delay counts from the IPv4 answer", rule: "3",
		answers: []said{{at: 100 * ms, family: v4, addrs: a1}, {at: 149 * ms, family: v6, addrs: b1}},
		hosts:   map[string]reaction{b1: quick},
		want:    []string{"149ms 2001:db8::1 won 150ms"}, took: 150 * ms,
	},
	{
		name: "the resolution delay counts from the first of several answers", rule: "3",
		answers: []said{{family: v4, addrs: a1}, {at: 30 * ms, family: v4, addrs: a1 + " " + a2}, {at: never, family: v6}},
		hosts:   map[string]reaction{a1: quick},
		want:    []string{"50ms 192.0.2.1 won 51ms"}, took: 51 * ms,
	},
	{
		name: "IPv6 in 51 ms finds IPv4 started, and is next", rule: "3",
		answers: []said{{family: v4, addrs: a1 + " " + a2}, {at: 51 * ms, family: v6, addrs: b1}},
		hosts:   map[string]reaction{b1: quick},
		want:    []string{"50ms 192.0.2.1 canceled 301ms", "300ms 2001:db8::1 won 301ms"}, took: 301 * ms,
	},
	{
		name: "IPv6 in 2 s does not matter", rule: "3",
		answers: []said{{family: v4, addrs: a1}, {at: 2000 * ms, family: v6, addrs: b1}},
		hosts:   map[string]reaction{a1: quick},
		want:    []string{"50ms 192.0.2.1 won 51ms"}, took: 51 * ms,
	},
	{
		name: "IPv6 never answers", rule: "3",
		answers: []said{{family: v4, addrs: a1}, {at: never, family: v6}},
		hosts:   map[string]reaction{a1: quick},
		want:    []string{"50ms 192.0.2.1 won 51ms"}, took: 51 * ms,
	},
	{
		name: "no IPv6 addresses: IPv4 at once", rule: "3",
		answers: []said{{family: v4, addrs: a1}, {at: 20 * ms, family: v6}},
		hosts:   map[string]reaction{a1: quick},
		want:    []string{"20ms 192.0.2.1 won 21ms"}, took: 21 * ms,
	},
	{
		name: "no such name in IPv6: IPv4 at once", rule: "3",
		answers: []said{{family: v6, err: errNoName}, {at: 5 * ms, family: v4, addrs: a1}},
		hosts:   map[string]reaction{a1: quick},
		want:    []string{"5ms 192.0.2.1 won 6ms"}, took: 6 * ms,
	},
	{
		name: "the server fails for IPv6: IPv4 at once", rule: "3",
		answers: []said{{family: v4, addrs: a1}, {at: 10 * ms, family: v6, err: errServFail}},
		hosts:   map[string]reaction{a1: quick},
		want:    []string{"10ms 192.0.2.1 won 11ms"}, took: 11 * ms,
	},
	{
		name: "the server fails for IPv4: IPv6 at once", rule: "3",
		answers: []said{{family: v4, err: errServFail}, {at: 10 * ms, family: v6, addrs: b1}},
		hosts:   map[string]reaction{b1: quick},
		want:    []string{"10ms 2001:db8::1 won 11ms"}, took: 11 * ms,
	},
	{
		name: "an IPv6 answer with IPv4 addresses in it has none", rule: "3",
		answers: []said{{family: v6, addrs: "::ffff:192.0.2.9"}, {at: 3 * ms, family: v4, addrs: a1}},
		hosts:   map[string]reaction{a1: quick},
		want:    []string{"3ms 192.0.2.1 won 4ms"}, took: 4 * ms,
	},
	{
		name: "a resolution delay of one's own", rule: "8",
		answers: []said{{family: v4, addrs: a1}, {at: never, family: v6}},
		hosts:   map[string]reaction{a1: quick}, cfg: happyeyeballs.Config{ResolutionDelay: 20 * ms},
		want: []string{"20ms 192.0.2.1 won 21ms"}, took: 21 * ms,
	},
	{
		name: "no resolution delay", rule: "8",
		answers: []said{{family: v4, addrs: a1}, {at: never, family: v6}},
		hosts:   map[string]reaction{a1: quick}, cfg: happyeyeballs.Config{ResolutionDelay: -1},
		want: []string{"0s 192.0.2.1 won 1ms"}, took: 1 * ms,
	},
	{
		name: "IPv6 that cannot be reached waits for IPv4", rule: "3",
		answers: []said{{family: v6, addrs: b1}, {at: 10 * ms, family: v4, addrs: a1}},
		hosts:   map[string]reaction{a1: quick}, cfg: happyeyeballs.Config{Source: only(v4)},
		want: []string{"10ms 192.0.2.1 won 11ms"}, took: 11 * ms,
	},
	{
		name: "IPv6 that cannot be reached does not wait for ever", rule: "3",
		answers: []said{{family: v6, addrs: b1}, {at: never, family: v4}},
		hosts:   map[string]reaction{b1: quick}, cfg: happyeyeballs.Config{Source: only(v4)},
		want: []string{"50ms 2001:db8::1 won 51ms"}, took: 51 * ms,
	},

	// Order.
	{
		name: "families take turns", rule: "4",
		answers: []said{{family: v6, addrs: b1 + " " + b2 + " " + b3}, {family: v4, addrs: a1 + " " + a2}},
		hosts:   map[string]reaction{b3: quick},
		want: []string{
			"0s 2001:db8::1 canceled 1.001s", "250ms 192.0.2.1 canceled 1.001s",
			"500ms 2001:db8::2 canceled 1.001s", "750ms 192.0.2.2 canceled 1.001s",
			"1s 2001:db8::3 won 1.001s",
		}, took: 1001 * ms,
	},
	{
		name: "two of the first family first", rule: "4",
		answers: []said{{family: v4, addrs: a1}, {family: v6, addrs: b1 + " " + b2 + " " + b3}},
		hosts:   map[string]reaction{a1: quick}, cfg: happyeyeballs.Config{FirstFamilyCount: 2},
		want: []string{
			"0s 2001:db8::1 canceled 501ms", "250ms 2001:db8::2 canceled 501ms", "500ms 192.0.2.1 won 501ms",
		}, took: 501 * ms,
	},
	{
		name: "more of the first family than there are", rule: "4",
		answers: both,
		hosts:   map[string]reaction{a1: quick}, cfg: happyeyeballs.Config{FirstFamilyCount: 9},
		want: []string{"0s 2001:db8::1 canceled 251ms", "250ms 192.0.2.1 won 251ms"}, took: 251 * ms,
	},
	{
		name: "no turns", rule: "4",
		answers: []said{{family: v4, addrs: a1}, {family: v6, addrs: b1 + " " + b2}},
		hosts:   map[string]reaction{a1: quick}, cfg: happyeyeballs.Config{FirstFamilyCount: -1},
		want: []string{
			"0s 2001:db8::1 canceled 501ms", "250ms 2001:db8::2 canceled 501ms", "500ms 192.0.2.1 won 501ms",
		}, took: 501 * ms,
	},
	{
		name: "the family that sorts first comes first", rule: "4",
		// A unique local address has a lower precedence than IPv4.
		answers: []said{{family: v4, addrs: a1}, {family: v6, addrs: "fd00::1"}},
		hosts:   map[string]reaction{a1: quick},
		want:    []string{"0s 192.0.2.1 won 1ms"}, took: 1 * ms,
	},
	{
		name: "what cannot be reached takes no turns", rule: "4",
		answers: []said{{family: v6, addrs: b1}, {family: v4, addrs: a1 + " " + a2}},
		hosts:   map[string]reaction{a2: quick}, cfg: happyeyeballs.Config{Source: only(v4)},
		want: []string{"0s 192.0.2.1 canceled 251ms", "250ms 192.0.2.2 won 251ms"}, took: 251 * ms,
	},
	{
		name: "an address that is there twice is tried once", rule: "4",
		answers: []said{{family: v6, addrs: b1 + " " + b1}, {family: v4, addrs: a1 + " ::ffff:192.0.2.1"}},
		hosts:   map[string]reaction{b1: refuse(20 * ms), a1: quick},
		want:    []string{"0s 2001:db8::1 failed 20ms", "20ms 192.0.2.1 won 21ms"}, took: 21 * ms,
	},

	// Attempts.
	{
		name: "a blackhole costs 250 ms", rule: "5",
		answers: []said{{family: v6, addrs: b1 + " " + b2}, {family: v4}},
		hosts:   map[string]reaction{b2: quick},
		want:    []string{"0s 2001:db8::1 canceled 251ms", "250ms 2001:db8::2 won 251ms"}, took: 251 * ms,
	},
	{
		name: "earlier attempts go on and may win", rule: "5",
		answers: both, hosts: map[string]reaction{b1: {after: 400 * ms}},
		want: []string{"0s 2001:db8::1 won 400ms", "250ms 192.0.2.1 canceled 400ms"}, took: 400 * ms,
	},
	{
		name: "two bad IPv6 and a bad IPv4 before a good one", rule: "5",
		answers: []said{{family: v6, addrs: b1 + " " + b2 + " " + b3}, {family: v4, addrs: a1}},
		hosts:   map[string]reaction{b3: quick},
		want: []string{
			"0s 2001:db8::1 canceled 751ms", "250ms 192.0.2.1 canceled 751ms",
			"500ms 2001:db8::2 canceled 751ms", "750ms 2001:db8::3 won 751ms",
		}, took: 751 * ms,
	},
	{
		name: "an attempt delay of one's own", rule: "5",
		answers: both, hosts: map[string]reaction{a1: quick},
		cfg:  happyeyeballs.Config{AttemptDelay: 120 * ms},
		want: []string{"0s 2001:db8::1 canceled 121ms", "120ms 192.0.2.1 won 121ms"}, took: 121 * ms,
	},
	{
		name: "an attempt delay is at least 100 ms", rule: "5",
		answers: both, hosts: map[string]reaction{a1: quick},
		cfg:  happyeyeballs.Config{AttemptDelay: 1},
		want: []string{"0s 2001:db8::1 canceled 101ms", "100ms 192.0.2.1 won 101ms"}, took: 101 * ms,
	},
	{
		name: "an attempt delay is at most 2 s", rule: "5",
		answers: both, hosts: map[string]reaction{a1: quick},
		cfg:  happyeyeballs.Config{AttemptDelay: time.Hour},
		want: []string{"0s 2001:db8::1 canceled 2.001s", "2s 192.0.2.1 won 2.001s"}, took: 2001 * ms,
	},
	{
		name: "a failure brings the next forward", rule: "5",
		answers: both, hosts: map[string]reaction{b1: refuse(40 * ms), a1: quick},
		want: []string{"0s 2001:db8::1 failed 40ms", "40ms 192.0.2.1 won 41ms"}, took: 41 * ms,
	},
	{
		name: "but not within 10 ms of its own start", rule: "5",
		answers: []said{{family: v6, addrs: b1 + " " + b2 + " " + b3}, {family: v4}},
		hosts:   map[string]reaction{b1: refuse(1), b2: refuse(9 * ms), b3: quick},
		want: []string{
			"0s 2001:db8::1 failed 1ns", "10ms 2001:db8::2 failed 19ms", "20ms 2001:db8::3 won 21ms",
		}, took: 21 * ms,
	},
	{
		name: "unless it went to this host", rule: "5",
		answers: []said{{family: v6, addrs: "::1"}, {family: v4, addrs: "127.0.0.1"}},
		hosts:   map[string]reaction{"::1": refuse(1), "127.0.0.1": quick},
		cfg:     happyeyeballs.Config{Source: loopback},
		want:    []string{"0s ::1 failed 1ns", "1ns 127.0.0.1 won 1.000001ms"}, took: 1*ms + 1,
	},
	{
		name: "the failure of an earlier one does not", rule: "5",
		answers: []said{{family: v6, addrs: b1 + " " + b2 + " " + b3}, {family: v4}},
		hosts:   map[string]reaction{b1: refuse(300 * ms), b3: quick},
		want: []string{
			"0s 2001:db8::1 failed 300ms", "250ms 2001:db8::2 canceled 501ms", "500ms 2001:db8::3 won 501ms",
		}, took: 501 * ms,
	},
	{
		name: "one at a time", rule: "5",
		answers: both, hosts: map[string]reaction{b1: refuse(3000 * ms), a1: quick},
		cfg:  happyeyeballs.Config{AttemptDelay: -1},
		want: []string{"0s 2001:db8::1 failed 3s", "3s 192.0.2.1 won 3.001s"}, took: 3001 * ms,
	},
	{
		name: "one at a time, with a bound", rule: "5",
		answers: both, hosts: map[string]reaction{a1: quick},
		cfg:  happyeyeballs.Config{AttemptDelay: -1, AttemptTimeout: 500 * ms},
		want: []string{"0s 2001:db8::1 failed 500ms", "500ms 192.0.2.1 won 501ms"}, took: 501 * ms,
	},
	{
		name: "progress puts the next off, once", rule: "5",
		answers: both, hosts: map[string]reaction{b1: {answers: 200 * ms}, a1: quick},
		want: []string{"0s 2001:db8::1 canceled 451ms", "450ms 192.0.2.1 won 451ms"}, took: 451 * ms,
	},
	{
		name: "progress of one counts when another fails", rule: "5",
		answers: []said{{family: v6, addrs: b1 + " " + b2 + " " + b3}, {family: v4}},
		hosts:   map[string]reaction{b1: {answers: 260 * ms}, b2: refuse(20 * ms), b3: quick},
		want: []string{
			"0s 2001:db8::1 canceled 511ms", "250ms 2001:db8::2 failed 270ms", "510ms 2001:db8::3 won 511ms",
		}, took: 511 * ms,
	},
	{
		name: "progress is forgotten once it failed", rule: "5",
		answers: both, hosts: map[string]reaction{b1: {answers: 100 * ms, after: 150 * ms, err: errRefused}, a1: quick},
		want: []string{"0s 2001:db8::1 failed 150ms", "150ms 192.0.2.1 won 151ms"}, took: 151 * ms,
	},
	{
		name: "one that connects after the winner is closed", rule: "5",
		answers: both, hosts: map[string]reaction{b1: {after: 300 * ms, stubborn: true}, a1: quick},
		want: []string{"0s 2001:db8::1 late 300ms", "250ms 192.0.2.1 won 251ms"}, took: 300 * ms,
	},

	// Changes while it goes on.
	{
		name: "late IPv4 is next after one IPv6", rule: "6",
		answers: []said{{family: v6, addrs: b1 + " " + b2}, {at: 100 * ms, family: v4, addrs: a1}},
		hosts:   map[string]reaction{a1: quick},
		want:    []string{"0s 2001:db8::1 canceled 251ms", "250ms 192.0.2.1 won 251ms"}, took: 251 * ms,
	},
	{
		name: "a late address starts at once when its time has passed", rule: "6",
		answers: []said{{family: v6, addrs: b1}, {at: 700 * ms, family: v4, addrs: a1}},
		hosts:   map[string]reaction{a1: quick},
		want:    []string{"0s 2001:db8::1 canceled 701ms", "700ms 192.0.2.1 won 701ms"}, took: 701 * ms,
	},
	{
		name: "a late address after all have failed", rule: "6",
		answers: []said{{family: v6, addrs: b1}, {at: 700 * ms, family: v4, addrs: a1}},
		hosts:   map[string]reaction{b1: refuse(5 * ms), a1: quick},
		want:    []string{"0s 2001:db8::1 failed 5ms", "700ms 192.0.2.1 won 701ms"}, took: 701 * ms,
	},
	{
		name: "an address that is gone is not tried", rule: "6",
		answers: []said{{family: v6, addrs: b1 + " " + b2 + " " + b3}, {family: v4}, {at: 100 * ms, family: v6, addrs: b3}},
		hosts:   map[string]reaction{b2: quick, b3: quick},
		want:    []string{"0s 2001:db8::1 canceled 251ms", "250ms 2001:db8::3 won 251ms"}, took: 251 * ms,
	},
	{
		name: "an address that is gone but tried goes on", rule: "6",
		answers: []said{{family: v6, addrs: b1 + " " + b2}, {family: v4}, {at: 100 * ms, family: v6, addrs: b2}},
		hosts:   map[string]reaction{b1: {after: 200 * ms}},
		want:    []string{"0s 2001:db8::1 won 200ms"}, took: 200 * ms,
	},
	{
		name: "an address that is new finds its place", rule: "6",
		answers: []said{{family: v6, addrs: b1 + " " + b3}, {family: v4}, {at: 100 * ms, family: v6, addrs: b1 + " " + b2 + " " + b3}},
		hosts:   map[string]reaction{b2: quick, b3: quick},
		want:    []string{"0s 2001:db8::1 canceled 251ms", "250ms 2001:db8::2 won 251ms"}, took: 251 * ms,
	},
}

func TestEveryAttemptStartsWhenTheRulesSay(t *testing.T) {
	for _, tt := range scenarios {
		t.Run(tt.rule+"/"+tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { tt.run(t) })
		})
	}
}

// run races, and again: a race is not to learn from the one before.
func (sc scenario) run(t *testing.T) {
	for range 2 {
		n := &network{hosts: sc.hosts}
		cfg := sc.cfg
		cfg.Resolver = &script{answers: map[string][]said{"host.test": sc.answers}}
		if cfg.Source == nil {
			cfg.Source = dualStack
		}
		start := time.Now()
		c, report, err := happyeyeballs.Dial(t.Context(), "host.test", 443, n.dial, &cfg)
		require.NoError(t, err)
		if diff := cmp.Diff(sc.want, attempts(report)); diff != "" {
			t.Errorf("attempts mismatch (-want +got):\n%s", diff)
		}
		assert.Equal(t, sc.took, time.Since(start))
		assert.Equal(t, report.Winner().Addr.Addr().String(), c.addr)
		assert.Equal(t, int32(1), n.opened.Load()-n.closed.Load(), "connections left open")
	}
}

func TestScenarioRunnerNoticesAWrongStart(t *testing.T) {
	right := scenarios[0]
	synctest.Test(t, func(t *testing.T) {
		n := &network{hosts: right.hosts}
		cfg := &happyeyeballs.Config{
			Resolver: &script{answers: map[string][]said{"host.test": {{at: 1, family: v6, addrs: b1}}}},
			Source:   dualStack,
		}
		_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 443, n.dial, cfg)
		require.NoError(t, err)
		assert.NotEmpty(t, cmp.Diff(right.want, attempts(report)))
	})
}
