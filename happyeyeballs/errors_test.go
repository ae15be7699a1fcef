package happyeyeballs_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/happyeyeballs"
)

// lose races to host.test and wants nobody to win.
func lose(t *testing.T, ctx context.Context, answers []said, hosts map[string]reaction) (*happyeyeballs.Report, *happyeyeballs.Error) {
	t.Helper()
	n := &network{hosts: hosts}
	cfg := &happyeyeballs.Config{
		Resolver: &script{answers: map[string][]said{"host.test": answers}},
		Source:   dualStack,
	}
	c, report, err := happyeyeballs.Dial(ctx, "host.test", 443, n.dial, cfg)
	require.Error(t, err)
	assert.Nil(t, c)
	assert.Nil(t, report.Winner())
	assert.Equal(t, n.opened.Load(), n.closed.Load(), "connections left open")
	failure, ok := errors.AsType[*happyeyeballs.Error](err)
	require.True(t, ok, "%v", err)
	return report, failure
}

func texts(errs []error) []string {
	var all []string
	for _, err := range errs {
		all = append(all, err.Error())
	}
	return all
}

func TestEveryAddressHasItsErrorInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := lose(t, t.Context(),
			[]said{{family: v4, addrs: a1 + " " + a2}, {family: v6, addrs: b1}},
			map[string]reaction{b1: refuse(800 * ms), a1: refuse(20 * ms), a2: refuse(100 * ms)})
		want := []string{"[2001:db8::1]:443: refused", "192.0.2.1:443: refused", "192.0.2.2:443: refused"}
		if diff := cmp.Diff(want, texts(err.Errs)); diff != "" {
			t.Errorf("errors mismatch (-want +got):\n%s", diff)
		}
		assert.ErrorIs(t, err, errRefused)
		assert.EqualError(t, err, "happyeyeballs: host.test: "+want[0]+"; "+want[1]+"; "+want[2])
		attempt, ok := errors.AsType[*happyeyeballs.AttemptError](err)
		require.True(t, ok)
		assert.Equal(t, b1, attempt.Candidate.Addr.Addr().String())
	})
}

func TestLookupErrorsThatMatterAreTold(t *testing.T) {
	refused := map[string]reaction{a1: refuse(1 * ms), b1: refuse(1 * ms)}
	tests := []struct {
		name    string
		answers []said
		want    []string
	}{
		{
			"no such name in either family", []said{{family: v6, err: errNoName}, {family: v4, err: errNoName}},
			[]string{"lookup host.test: no such host"},
		},
		{
			"no addresses and no errors", []said{{family: v6}, {family: v4}},
			[]string{"lookup host.test: no such host"},
		},
		{
			"the server fails for both", []said{{family: v6, err: errServFail}, {family: v4, err: errServFail}},
			[]string{"lookup host.test: server misbehaving", "lookup host.test: server misbehaving"},
		},
		{
			"the server fails for one, the other has none", []said{{family: v6, err: errServFail}, {family: v4, err: errNoName}},
			[]string{"lookup host.test: server misbehaving"},
		},
		{
			"the server fails for one, the other cannot be connected to",
			[]said{{family: v6, err: errServFail}, {family: v4, addrs: a1}},
			[]string{"lookup host.test: server misbehaving", "192.0.2.1:443: refused"},
		},
		{
			"one has none, the other cannot be connected to", []said{{family: v6, err: errNoName}, {family: v4, addrs: a1}},
			[]string{"192.0.2.1:443: refused"},
		},
		{
			"no answer at all", nil,
			[]string{"lookup host.test: no such host"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := lose(t, t.Context(), tt.answers, refused)
				if diff := cmp.Diff(tt.want, texts(err.Errs)); diff != "" {
					t.Errorf("errors mismatch (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// broken is a resolver that returns an error and answers nothing.
type broken struct{ err error }

func (b broken) Resolve(context.Context, happyeyeballs.Query, func(happyeyeballs.Answer)) error {
	return b.err
}

func TestErrorOfTheResolverIsThatOfTheFamiliesWithoutAnswer(t *testing.T) {
	cause := errors.New("no resolver today")
	n := &network{}
	_, report, err := happyeyeballs.Dial(t.Context(), "host.test", 1, n.dial, &happyeyeballs.Config{Resolver: broken{cause}})
	require.ErrorIs(t, err, cause)
	require.Len(t, report.Answers, 2)
	assert.Equal(t, cause, report.Answers[1].Err)
}

func TestCanceledRaceIsToldByItsCauseAndLeavesNothing(t *testing.T) {
	stages := []struct {
		name    string
		after   time.Duration
		answers []said
		hosts   map[string]reaction
		want    []string
	}{
		{"while resolving", 10 * ms, []said{{at: never, family: v6}}, nil, []string{"context canceled: enough"}},
		{"in the resolution delay", 10 * ms, []said{{family: v4, addrs: a1}, {at: never, family: v6}}, nil, []string{"context canceled: enough"}},
		{
			"while connecting", 300 * ms, both, nil,
			[]string{"[2001:db8::1]:443: enough", "192.0.2.1:443: enough", "context canceled: enough"},
		},
		{
			"after a failure", 100 * ms, both, map[string]reaction{b1: refuse(20 * ms)},
			[]string{"[2001:db8::1]:443: refused", "192.0.2.1:443: enough", "context canceled: enough"},
		},
		{
			"with one that connects all the same", 100 * ms, both, map[string]reaction{b1: {after: 150 * ms, stubborn: true}},
			[]string{"context canceled: enough"},
		},
	}
	for _, tt := range stages {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				enough := errors.New("enough")
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(tt.after, func() { cancel(enough) })
				_, err := lose(t, ctx, tt.answers, tt.hosts)
				require.ErrorIs(t, err, enough)
				require.ErrorIs(t, err, context.Canceled)
				if diff := cmp.Diff(tt.want, texts(err.Unwrap())); diff != "" {
					t.Errorf("errors mismatch (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestDoneContextStartsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &script{}
	n := &network{}
	_, report, err := happyeyeballs.Dial(ctx, "host.test", 443, n.dial, &happyeyeballs.Config{Resolver: s})
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, s.asked())
	assert.Empty(t, report.Attempts)
}

func TestDeadlineIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		report, err := lose(t, ctx, both, nil)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		want := []string{"0s 2001:db8::1 canceled 1s", "250ms 192.0.2.1 canceled 1s"}
		assert.Equal(t, want, attempts(report))
	})
}

func TestAttemptThatExitsItsGoroutineHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, err := happyeyeballs.Dial(t.Context(), "host.test", 443,
			func(context.Context, happyeyeballs.Candidate, func()) (*link, error) {
				runtime.Goexit()
				return nil, nil
			}, &happyeyeballs.Config{Resolver: &script{answers: map[string][]said{"host.test": both}}, Source: dualStack})
		assert.ErrorContains(t, err, "exited")
	})
}

func TestTimeoutOfAnAttemptIsADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		_, _, err := happyeyeballs.Dial(t.Context(), "192.0.2.1", 443, n.dial,
			&happyeyeballs.Config{AttemptTimeout: time.Second, Source: dualStack})
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "attempt timed out")
	})
}

func TestNilAttemptPanics(t *testing.T) {
	assert.PanicsWithValue(t, "happyeyeballs: Dial: nil attempt", func() {
		_, _, _ = happyeyeballs.Dial[net.Conn](t.Context(), "::1", 1, nil, nil)
	})
}
