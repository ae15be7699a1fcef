package happyeyeballs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/happyeyeballs"
)

// order returns the starts of a race that every attempt of loses, for one
// order of services with the same priority.
func order(t *testing.T, seed uint64, lines []line) (starts string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := happyeyeballs.WithSeed(happyeyeballs.Config{Resolver: &zone{lines: lines}, Service: &tcpOnly, Source: dualStack}, seed)
		_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 443,
			func(context.Context, happyeyeballs.Candidate, func()) (*link, error) { return nil, errRefused }, &cfg)
		require.Error(t, err)
		for _, a := range report.Attempts {
			starts += " " + a.Target
		}
	})
	return starts
}

func TestServicesOfOnePriorityAreShuffled(t *testing.T) {
	lines := []line{
		has(0, hints(there(1, "a.test", "h2"), b1), hints(there(1, "b.test", "h2"), b2), hints(there(2, "c.test", "h2"), b3)),
		aaaa(0, ""),
		a(300*ms, ""), // sorts again, and must not shuffle again
	}
	seen := map[string]bool{}
	for seed := range uint64(20) {
		got := order(t, seed, lines)
		assert.Equal(t, got, order(t, seed, lines), "seed %d", seed)
		seen[got] = true
	}
	assert.Equal(t, map[string]bool{" a.test b.test c.test": true, " b.test a.test c.test": true}, seen)
}

func TestOneOfSeveralAliasesIsFollowed(t *testing.T) {
	lines := []line{has(0, there(0, "a.test"), there(0, "b.test")), aaaa(0, ""), a(0, "")}
	for _, host := range []string{"a.test", "b.test"} {
		lines = append(lines, of(host, has(0)), of(host, aaaa(0, b1)), of(host, a(0, "")))
	}
	seen := map[string]bool{}
	for seed := range uint64(20) {
		seen[order(t, seed, lines)] = true
	}
	assert.Equal(t, map[string]bool{" a.test": true, " b.test": true}, seen)
}

func TestHostsWithManyTargetsCostEightLookups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rs []happyeyeballs.Record
		for i := range 50 {
			rs = append(rs, hints(there(uint16(50-i), fmt.Sprintf("t%d.test", i), "h2"), b1))
		}
		z := &zone{lines: []line{has(0, rs...), aaaa(0, ""), a(0, "")}}
		n := &network{hosts: map[string]reaction{tcp6: quick}}
		_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 443, n.dialService,
			&happyeyeballs.Config{Resolver: z, Service: &tcpOnly, Source: dualStack})
		require.NoError(t, err)
		assert.Equal(t, "t49.test", report.Winner().Target)
		assert.Len(t, z.asked(), 1+8)
	})
}

func TestCandidateHasAllProtocolsOfItsTransport(t *testing.T) {
	lines := []line{has(0, ech(hints(there(3, "svc.test", "h3", "http/1.1"), b2))), aaaa(0, ""), a(0, "")}
	var got []happyeyeballs.Candidate
	synctest.Test(t, func(t *testing.T) {
		v := webWith(happyeyeballs.ECHOffered)
		_, _, err := happyeyeballs.Dial(t.Context(), "host.test", 443,
			func(_ context.Context, c happyeyeballs.Candidate, _ func()) (*link, error) {
				got = append(got, c) // one at a time
				return nil, errRefused
			}, &happyeyeballs.Config{Resolver: &zone{lines: lines}, Service: &v, Source: dualStack, AttemptDelay: -1})
		require.Error(t, err)
	})
	require.Len(t, got, 2)
	want := happyeyeballs.Candidate{
		Addr: got[0].Addr, Transport: happyeyeballs.QUIC, ALPN: []string{"h3"}, ECH: []byte("key"), Priority: 3, Target: "svc.test",
	}
	assert.Equal(t, want, got[0])
	assert.Equal(t, "[2001:db8::2]:443", got[0].Addr.String())
	want.Transport, want.ALPN = happyeyeballs.TCP, []string{"h2", "http/1.1"}
	assert.Equal(t, want, got[1])
}

func TestAddressIsRacedOverEachTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{}
		n := &network{hosts: map[string]reaction{tcp6: quick}}
		_, report, err := happyeyeballs.Dial(t.Context(), "2001:db8::1", 443, n.dialService,
			&happyeyeballs.Config{Resolver: z, Service: &web, Source: dualStack})
		require.NoError(t, err)
		assert.Equal(t, []string{"0s quic [2001:db8::1]:443 canceled 251ms", "250ms tcp [2001:db8::1]:443 won 251ms"}, tried(report))
		assert.Empty(t, z.asked())
	})
}

func TestIPv4AddressGoesThroughTheNAT64AtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{lines: []line{of("ipv4only.arpa", aaaa(20*ms, wellKnown))}}
		n := &network{hosts: map[string]reaction{"quic [64:ff9b::c633:6407]:443": quick}}
		_, report, err := happyeyeballs.Dial(t.Context(), far, 443, n.dialService,
			&happyeyeballs.Config{Resolver: z, Service: &web, Source: only(v6)})
		require.NoError(t, err)
		assert.Equal(t, []string{"20ms quic [64:ff9b::c633:6407]:443 won 21ms"}, tried(report))
		assert.Equal(t, []string{"ipv4only.arpa IPv6"}, z.asked())
	})
}

func TestNameOfTheNAT64CanBeDialedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{lines: []line{of("ipv4only.arpa", aaaa(0, b1))}}
		n := &network{hosts: map[string]reaction{tcp6: quick}}
		_, report, err := happyeyeballs.Dial(t.Context(), "ipv4only.arpa", 443, n.dialService,
			&happyeyeballs.Config{Resolver: z, Service: &happyeyeballs.Service{}, Source: only(v6)})
		require.NoError(t, err)
		assert.Equal(t, []string{"0s tcp [2001:db8::1]:443 won 1ms"}, tried(report))
		assert.Equal(t, []string{"ipv4only.arpa IPv6"}, z.asked())
	})
}

func TestMismatchOfProtocolsIsTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deny := happyeyeballs.Record{Priority: 1, ALPN: []string{"h3", "h2"}, NoDefaultALPN: true}
		_, _, err := happyeyeballs.Dial(t.Context(), "host.test", 443, (&network{}).dialService, &happyeyeballs.Config{
			Resolver: &zone{lines: []line{has(0, deny, deny), aaaa(0, b1), a(0, "")}},
			Service:  &happyeyeballs.Service{Protocols: own.Protocols, Records: "https"}, Source: dualStack,
		})
		mismatch, ok := errors.AsType[*happyeyeballs.ProtocolError](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, &happyeyeballs.ProtocolError{Host: "host.test", Offered: []string{"h2", "h3"}}, mismatch)
	})
}

func TestGivingUpForWantOfARecordCancelsTheLookups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := webWith(happyeyeballs.ECHRelied)
		_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 443, (&network{}).dialService, &happyeyeballs.Config{
			Resolver: &zone{lines: []line{failing(has(10 * ms)), aaaa(0, b1), a(never, "")}}, Service: &v, Source: dualStack,
		})
		failure, ok := errors.AsType[*happyeyeballs.Error](err)
		require.True(t, ok, "%v", err)
		assert.NoError(t, failure.Canceled)
		assert.Equal(t, []error{errServFail}, failure.Errs)
		assert.Empty(t, report.Attempts)
	})
}

// The default resolver knows no records, which must not pass for there being
// none.
func TestWhoReliesOnRecordsGivesUpWithAResolverThatHasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			policy happyeyeballs.ECHPolicy
			err    error
		}{{happyeyeballs.ECHOffered, nil}, {happyeyeballs.ECHRelied, errors.ErrUnsupported}} {
			v := webWith(tt.policy)
			n := &network{hosts: map[string]reaction{quic6: quick}}
			_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 443, n.dialService, &happyeyeballs.Config{
				Resolver: &zone{lines: []line{aaaa(0, b1), a(0, a1)}}, Service: &v, Source: dualStack,
			})
			require.ErrorIs(t, err, tt.err)
			assert.Equal(t, tt.err != nil, len(report.Attempts) == 0)
		}
	})
}

// A hostile server can put thousands of each into its answers.
func TestRecordsTimesAddressesIsBounded(t *testing.T) {
	const many = 150
	var records []happyeyeballs.Record
	var v6s, v4s []string
	for i := range many {
		records = append(records, happyeyeballs.Record{Priority: 1, ALPN: []string{"h2"}, Port: uint16(1000 + i)})
		v6s = append(v6s, fmt.Sprintf("2001:db8::%x", 1+i))
		v4s = append(v4s, fmt.Sprintf("192.0.2.%d", 1+i))
	}
	synctest.Test(t, func(t *testing.T) {
		_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 443,
			func(context.Context, happyeyeballs.Candidate, func()) (*link, error) { return nil, errRefused },
			&happyeyeballs.Config{
				Resolver: &zone{lines: []line{
					has(0, records...), aaaa(0, strings.Join(v6s, " ")), a(0, strings.Join(v4s, " ")),
				}},
				Service: &tcpOnly, Source: dualStack,
			})
		require.ErrorIs(t, err, errRefused)
		assert.Len(t, report.Attempts, 16*2*32)
	})
}

func TestLaterRecordsReplaceEarlierOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{lines: []line{
			has(0, hints(there(1, "svc.test", "h2"), b1+" "+b2)), has(100*ms, hints(there(1, "new.test", "h2"), b3)), aaaa(0, ""), a(0, ""),
		}}
		n := &network{hosts: map[string]reaction{"tcp [2001:db8::3]:443": quick}}
		_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 443, n.dialService,
			&happyeyeballs.Config{Resolver: z, Service: &tcpOnly, Source: dualStack})
		require.NoError(t, err)
		assert.Equal(t, []string{"0s tcp [2001:db8::1]:443 canceled 251ms", "250ms tcp [2001:db8::3]:443 won 251ms"}, tried(report))
	})
}

func TestRecordsNobodyAskedForAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := resolverFunc(func(_ context.Context, _ happyeyeballs.Query, answer func(happyeyeballs.Answer)) error {
			answer(happyeyeballs.Answer{Records: []happyeyeballs.Record{hints(here(), b2)}})
			answer(happyeyeballs.Answer{Family: v6, Addrs: addrs(b1)})
			return nil
		})
		for _, v := range []*happyeyeballs.Service{nil, {}} {
			n := &network{hosts: map[string]reaction{b1: quick}}
			_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 443, n.dial,
				&happyeyeballs.Config{Resolver: r, Service: v, Source: dualStack})
			require.NoError(t, err)
			require.Len(t, report.Attempts, 1)
			assert.Equal(t, b1, report.Winner().Addr.Addr().String())
		}
	})
}

func TestReportTellsOfServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{lines: []line{
			has(5*ms, ech(happyeyeballs.Record{Priority: 1, Target: "svc.test", ALPN: []string{"h3", "h2"}, NoDefaultALPN: true, Port: 8443})),
			aaaa(10*ms, b1), a(15*ms, ""),
			of("svc.test", aaaa(20*ms, b2)), of("svc.test", a(30*ms, "")),
		}}
		n := &network{hosts: map[string]reaction{
			"quic [2001:db8::2]:8443": refuse(40 * ms), "tcp [2001:db8::2]:8443": quick,
		}}
		v := webWith(happyeyeballs.ECHOffered)
		_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 443, n.dialService,
			&happyeyeballs.Config{Resolver: z, Service: &v, Source: dualStack})
		require.NoError(t, err)
		want := `5ms: records [1 svc.test. alpn=h3,h2 no-default-alpn port=8443 ech]
10ms: IPv6 [2001:db8::1]
15ms: IPv4 []
25ms: IPv6 of svc.test [2001:db8::2]
35ms: IPv4 of svc.test []
25ms to 65ms: quic [2001:db8::2]:8443 h3 of svc.test priority 1 ech failed: refused
65ms to 66ms: tcp [2001:db8::2]:8443 h2,http/1.1 of svc.test priority 1 ech won
`
		if diff := cmp.Diff(want, report.String()); diff != "" {
			t.Errorf("report mismatch (-want +got):\n%s", diff)
		}
	})
}

func TestConfigIsCopied(t *testing.T) {
	v := happyeyeballs.Service{Protocols: []happyeyeballs.Protocol{{ALPN: "own"}}}
	synctest.Test(t, func(t *testing.T) {
		n := &network{hosts: map[string]reaction{tcp6: quick}}
		_, _, err := happyeyeballs.Dial(t.Context(), "2001:db8::1", 443, n.dialService, &happyeyeballs.Config{Service: &v, Source: dualStack})
		require.NoError(t, err)
	})
	assert.Equal(t, happyeyeballs.Service{Protocols: []happyeyeballs.Protocol{{ALPN: "own"}}}, v)
}

func TestContestRunnerNoticesAWrongStart(t *testing.T) {
	right := contests[0]
	wrong := right
	wrong.lines = append([]line{has(1, here("h3"))}, right.lines[1:]...)
	synctest.Test(t, func(t *testing.T) {
		n := &network{hosts: wrong.hosts}
		_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 443, n.dialService,
			&happyeyeballs.Config{Resolver: &zone{lines: wrong.lines}, Service: &web, Source: dualStack})
		require.NoError(t, err)
		assert.NotEmpty(t, cmp.Diff(right.want, tried(report)))
		assert.True(t, strings.HasPrefix(tried(report)[0], "1ns"))
	})
}
