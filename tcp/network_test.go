package tcp_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/testnet"
	"github.com/strata-go/strata/tcp"
)

// slack is how much later than the RFC says a connection may be there, on a
// machine that has other things to do. What these networks cost who tries one
// address at a time is more: 4 s and up.
const slack = 1500 * time.Millisecond

// tries is how often a scenario may take longer. What else the machine has to do
// passes; a race that waits for what it should not does so every time.
const tries = 3

// TestDialTakesWhatTheRFCSays races in real networks. It runs itself again in
// a network namespace.
func TestDialTakesWhatTheRFCSays(t *testing.T) {
	if !testnet.Inside() {
		rerun(t)
		return
	}
	host, err := testnet.Up()
	if errors.Is(err, testnet.ErrUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { host.Close() })            // after the parallel ones below
	dns, err := happyeyeballs.NewDNSResolver(nil) // of the resolv.conf there
	require.NoError(t, err)
	t.Run("the firewall drops what it should", func(t *testing.T) { blackholed(t, host) })
	t.Run("the system knows its hosts file", func(t *testing.T) {
		dialScenario(t, host, testnet.Scenario{Host: testnet.InHosts, Addr: "2001:db8:1::1"}, &happyeyeballs.SystemResolver{})
	})
	t.Run("a link-local address keeps its zone", func(t *testing.T) {
		c, err := tcp.Dial(t.Context(), net.JoinHostPort(testnet.LinkLocal, strconv.Itoa(int(host.Port))), nil)
		require.NoError(t, err)
		defer c.Close()
		addr, err := tcp.RemoteAddrPort.Get(c)
		require.NoError(t, err)
		assert.Equal(t, testnet.LinkLocal, addr.Addr().String())
	})
	resolvers := map[string]happyeyeballs.Resolver{"system": &happyeyeballs.SystemResolver{}, "DNS": dns}
	for name, r := range resolvers {
		for _, s := range testnet.Scenarios {
			t.Run(name+"/"+s.Name, func(t *testing.T) {
				t.Parallel()
				dialScenario(t, host, s, r)
			})
		}
	}
}

// blackholed checks that the scenarios are what they say: one who tries the
// first address alone waits.
func blackholed(t *testing.T, host *testnet.Host) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	cfg := &tcp.DialConfig{Race: happyeyeballs.Config{AttemptDelay: -1}}
	_, err := tcp.Dial(ctx, net.JoinHostPort("badgood6.test", strconv.Itoa(int(host.Port))), cfg)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func dialScenario(t *testing.T, host *testnet.Host, s testnet.Scenario, r happyeyeballs.Resolver) {
	t.Helper()
	took := raceIn(t, host, s, r)
	for try := 1; took >= s.Want+slack && try < tries; try++ {
		took = raceIn(t, host, s, r)
	}
	assert.Less(t, took, s.Want+slack)
}

// raceIn checks who wins, and returns how long that took.
func raceIn(t *testing.T, host *testnet.Host, s testnet.Scenario, r happyeyeballs.Resolver) time.Duration {
	t.Helper()
	cfg := &tcp.DialConfig{Race: happyeyeballs.Config{Resolver: r}}
	cfg.Race.ResolutionDelay, cfg.Race.AttemptDelay = testnet.Patience(s.Want)
	addr := net.JoinHostPort(s.Host, strconv.Itoa(int(host.Port)))
	start := time.Now()
	c, err := tcp.Dial(t.Context(), addr, cfg)
	took := time.Since(start)
	require.NoError(t, err)
	defer c.Close()
	report, err := tcp.Race.Get(c)
	require.NoError(t, err)
	t.Logf("%v\n%v", took, report)
	winner := report.Winner()
	assert.Equal(t, netip.MustParseAddr(s.Addr), winner.Addr.Addr())
	assert.GreaterOrEqual(t, winner.Start, s.Want)
	return took
}

// rerun runs the test in a namespace, and skips it if it was skipped there.
func rerun(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := testnet.RunTest(ctx, t.Name())
	t.Log(out)
	if errors.Is(err, testnet.ErrUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
}
