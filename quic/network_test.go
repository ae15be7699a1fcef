package quic_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/testnet"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/tls"
)

// TestConnectTakesWhatTheRulesSay races in real networks. It runs itself again
// in a network namespace.
func TestConnectTakesWhatTheRulesSay(t *testing.T) {
	inNetwork(t, testnet.UpServices, func(host *testnet.Host) {
		client := serveServices(t, host, testnet.Servers)
		t.Run("the firewall drops what it should", func(t *testing.T) { blackholed(t, host, client) })
		for _, s := range testnet.Services {
			t.Run(s.Name, func(t *testing.T) { connectScenario(t, host, s, client) })
		}
	})
}

// TestIPv4IsReachedThroughANAT64 from a host with IPv6 alone.
func TestIPv4IsReachedThroughANAT64(t *testing.T) {
	inNetwork(t, testnet.UpNAT64, func(host *testnet.Host) {
		client := serveServices(t, host, testnet.NAT64Servers)
		t.Run("there is no other way", func(t *testing.T) {
			_, err := net.Dial("udp", net.JoinHostPort(testnet.FarIPv4, "443"))
			require.ErrorIs(t, err, syscall.ENETUNREACH)
		})
		for _, s := range testnet.NAT64Services {
			t.Run(s.Name, func(t *testing.T) { connectScenario(t, host, s, client) })
		}
	})
}

// inNetwork runs the test again in a network namespace, and there what it is
// about.
func inNetwork(t *testing.T, up func() (*testnet.Host, error), test func(host *testnet.Host)) {
	t.Helper()
	if !testnet.Inside() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		out, err := testnet.RunTest(ctx, t.Name())
		if errors.Is(err, testnet.ErrUnavailable) {
			t.Skip(err, out)
		}
		t.Log(out)
		require.NoError(t, err)
		return
	}
	host, err := up()
	if errors.Is(err, testnet.ErrUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { host.Close() })
	test(host)
}

// serveServices starts the servers of the namespace, and returns what clients
// need for them.
func serveServices(t *testing.T, host *testnet.Host, servers []testnet.Server) (client *tls.Config) {
	t.Helper()
	ca, err := testpki.New(time.Now())
	require.NoError(t, err)
	cert, err := ca.Issue(testpki.Leaf{Names: []string{"*.test", testnet.FarIPv4}})
	require.NoError(t, err)
	server := func(alpn string) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{alpn}}
	}
	over := make(chan struct{})
	for _, s := range servers {
		h := &site{port: strconv.Itoa(int(host.Port))}
		if s.Stalls {
			h.stall(t, s.Addr)
			continue
		}
		h.serveTLS(t, s.Addr, server("h2"))
		h3 := server("h3")
		if s.Slow {
			slow := h3
			h3 = &tls.Config{NextProtos: h3.NextProtos, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
				<-over
				return slow, nil
			}}
		}
		h.serveQUIC(t, s.Addr, h3)
	}
	t.Cleanup(func() { close(over) }) // before the servers are closed, which wait for that
	return &tls.Config{RootCAs: ca.Pool()}
}

// web is HTTP by its names, over both transports.
var web = []happyeyeballs.Protocol{
	{ALPN: "h3", Transport: happyeyeballs.QUIC}, {ALPN: "h2", Transport: happyeyeballs.TCP},
}

// blackholed checks that the scenarios are what they say: one who tries what is
// blocked waits.
func blackholed(t *testing.T, host *testnet.Host, client *tls.Config) {
	t.Helper()
	for i, name := range []string{"noudp.test", "notcp.test"} {
		ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
		defer cancel()
		c := &quic.Connector{
			Addr: net.JoinHostPort(name, strconv.Itoa(int(host.Port))), TLS: client,
			Service: happyeyeballs.Service{Protocols: web[i : i+1]},
		}
		_, err := c.Connect(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded, name)
	}
}

func connectScenario(t *testing.T, host *testnet.Host, s testnet.Service, client *tls.Config) {
	t.Helper()
	dns, err := happyeyeballs.NewDNSResolver(nil) // of the resolv.conf there; each remembers what servers were silent
	require.NoError(t, err)
	protocols := web
	if s.PreferTCP {
		protocols = []happyeyeballs.Protocol{web[1], web[0]}
	}
	c := &quic.Connector{
		Addr: net.JoinHostPort(s.Host, strconv.Itoa(int(host.Port))), TLS: client,
		Service: happyeyeballs.Service{Protocols: protocols, Records: "https"},
		Config:  &quic.Config{Race: happyeyeballs.Config{Resolver: dns}},
	}
	c.Config.Race.ResolutionDelay, c.Config.Race.AttemptDelay = testnet.Patience(s.Want)
	r, err := c.Connect(t.Context())
	require.NoError(t, err)
	defer r.Close()
	report := fact(t, r, quic.Race)
	t.Log(report)
	assert.Equal(t, s.Over, string(fact(t, r, quic.Over)))
	winner := report.Winner()
	assert.Equal(t, netip.MustParseAddr(s.Addr), winner.Addr.Addr())
	onTime(t, s, report)
	exchange(t, r)
}

// onTime wants the winner to have started when the rules say, by what can be
// told on a machine that may have other things to do: not sooner; before what is
// not to be waited for; and after as many others as there is time for.
func onTime(t *testing.T, s testnet.Service, report *happyeyeballs.Report) {
	t.Helper()
	winner := report.Winner()
	assert.GreaterOrEqual(t, winner.Start, s.Want)
	for _, l := range report.Answers {
		if s.Late(int(l.Family)) {
			assert.Greater(t, l.At, winner.Start, "waited for what comes late: %v", l)
		}
	}
	before := slices.IndexFunc(report.Attempts, func(a happyeyeballs.Attempt) bool { return a.Outcome == happyeyeballs.Won })
	assert.EqualValues(t, s.Want/(250*time.Millisecond), before)
}
