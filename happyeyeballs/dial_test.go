package happyeyeballs_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/happyeyeballs"
)

func TestAddressIsNotLookedUp(t *testing.T) {
	for _, host := range []string{"192.0.2.1", "2001:db8::1", "fe80::1%lo", "::ffff:192.0.2.1"} {
		t.Run(host, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{}
				n := &network{hosts: map[string]reaction{a1: quick, b1: quick, "fe80::1%lo": quick}}
				_, report, err := happyeyeballs.Dial(t.Context(), host, 80, n.dial, &happyeyeballs.Config{Resolver: s, Source: dualStack})
				require.NoError(t, err)
				assert.Empty(t, s.asked())
				require.Len(t, report.Attempts, 1)
				assert.False(t, report.Winner().Addr.Addr().Is4In6())
			})
		})
	}
}

func TestAddressOfTheOtherFamilyIsRefused(t *testing.T) {
	n := &network{}
	_, report, err := happyeyeballs.Dial(t.Context(), "192.0.2.1", 80, n.dial, &happyeyeballs.Config{Family: v6})
	require.ErrorContains(t, err, "not an IPv6 address")
	assert.Empty(t, report.Attempts)
}

func TestFamilyRestrictsLookupsAndAttempts(t *testing.T) {
	for _, f := range []happyeyeballs.Family{v4, v6} {
		t.Run(f.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: map[string][]said{"host.test": both}}
				n := &network{hosts: map[string]reaction{a1: quick, b1: quick}}
				_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 80, n.dial,
					&happyeyeballs.Config{Resolver: s, Family: f, Source: dualStack})
				require.NoError(t, err)
				assert.Equal(t, []happyeyeballs.Query{{Host: "host.test", Family: f}}, s.asked())
				require.Len(t, report.Answers, 1)
				assert.Zero(t, report.Winner().Start)
			})
		})
	}
}

func TestAnswersNobodyAskedForAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := resolverFunc(func(_ context.Context, _ happyeyeballs.Query, answer func(happyeyeballs.Answer)) error {
			answer(happyeyeballs.Answer{Family: v6, Addrs: addrs(b1)})
			answer(happyeyeballs.Answer{Family: v4, Addrs: addrs(a1)})
			return nil
		})
		n := &network{hosts: map[string]reaction{a1: quick, b1: quick}}
		_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 80, n.dial,
			&happyeyeballs.Config{Resolver: r, Family: v4, Source: dualStack})
		require.NoError(t, err)
		assert.Equal(t, []string{"0s 192.0.2.1 won 1ms"}, attempts(report))
	})
}

func TestFiftyAddressesAreAllTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list, hosts := "", map[string]reaction{}
		for i := range 50 {
			addr := fmt.Sprintf("2001:db8::%x", i+1)
			list += addr + " "
			hosts[addr] = refuse(15 * ms)
		}
		report, err := lose(t, t.Context(), []said{{family: v6, addrs: list}, {family: v4}}, hosts)
		assert.Len(t, err.Errs, 50)
		assert.Equal(t, 49*15*ms, report.Attempts[49].Start)
	})
}

func TestTraceSeesTheRaceAsItHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		n := &network{hosts: map[string]reaction{b1: {answers: 30 * ms, after: 60 * ms, err: errRefused}, a1: quick}}
		cfg := &happyeyeballs.Config{
			Resolver: &script{answers: map[string][]said{"host.test": both}},
			Source:   dualStack,
			Trace: func(e happyeyeballs.Event) {
				what := fmt.Sprint(e.Answer.Addrs)
				if e.Kind != happyeyeballs.Answered {
					what = fmt.Sprint(e.Attempt.Addr.Addr(), " ", e.Attempt.Outcome)
				}
				got = append(got, fmt.Sprintf("%v %s %s", e.At, e.Kind, what))
			},
		}
		_, _, err := happyeyeballs.Dial(t.Context(), "host.test", 80, n.dial, cfg)
		require.NoError(t, err)
		want := []string{
			"0s answered [2001:db8::1]", "0s started 2001:db8::1 running", "0s answered [192.0.2.1]",
			"30ms progressed 2001:db8::1 running", "60ms ended 2001:db8::1 failed",
			"60ms started 192.0.2.1 running", "61ms ended 192.0.2.1 won",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events mismatch (-want +got):\n%s", diff)
		}
	})
}

func TestWhatComesTooLateIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answer func(happyeyeballs.Answer)
		var progress func()
		r := resolverFunc(func(_ context.Context, _ happyeyeballs.Query, f func(happyeyeballs.Answer)) error {
			f(happyeyeballs.Answer{Family: v6, Addrs: addrs(b1)})
			answer = f
			return nil
		})
		n := &network{hosts: map[string]reaction{b1: quick}}
		_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 80,
			func(ctx context.Context, c happyeyeballs.Candidate, p func()) (*link, error) {
				progress = p
				return n.dial(ctx, c, p)
			}, &happyeyeballs.Config{Resolver: r, Source: dualStack})
		require.NoError(t, err)
		before := report.String()
		answer(happyeyeballs.Answer{Family: v4, Addrs: addrs(a1)}) // neither blocks
		progress()
		assert.Equal(t, before, report.String())
	})
}

type resolverFunc func(context.Context, happyeyeballs.Query, func(happyeyeballs.Answer)) error

func (f resolverFunc) Resolve(ctx context.Context, q happyeyeballs.Query, answer func(happyeyeballs.Answer)) error {
	return f(ctx, q, answer)
}

func TestReportIsReadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{hosts: map[string]reaction{b1: refuse(30 * ms), a1: quick}}
		cfg := &happyeyeballs.Config{
			Resolver: &script{answers: map[string][]said{"host.test": {{family: v6, addrs: b1}, {at: 5 * ms, family: v4, addrs: a1}}}},
			Source:   dualStack,
		}
		_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 80, n.dial, cfg)
		require.NoError(t, err)
		assert.Equal(t, "0s: IPv6 [2001:db8::1]\n5ms: IPv4 [192.0.2.1]\n"+
			"0s to 30ms: [2001:db8::1]:80 failed: refused\n30ms to 31ms: 192.0.2.1:80 won\n", report.String())
	})
}

// layer is a stream that knows the race it came out of.
type layer struct{ facts *attr.Set }

func (l layer) Attributes() *attr.Set { return l.facts }

var layerFacts = attr.Define(attr.Value(happyeyeballs.Race, func(r *happyeyeballs.Report) *happyeyeballs.Report { return r }))

func TestReportIsAnAttribute(t *testing.T) {
	report := &happyeyeballs.Report{Host: "host.test"}
	got, err := happyeyeballs.Race.Get(layer{layerFacts.For(report)})
	require.NoError(t, err)
	assert.Same(t, report, got)
}
