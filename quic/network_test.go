package quic_test

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
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/tls"
)

// slack is how much later than the rules say a connection may be there, on a
// machine that has other things to do.
const slack = 1500 * time.Millisecond

// TestConnectTakesWhatTheRulesSay races in real networks. It runs itself again
// in a network namespace.
func TestConnectTakesWhatTheRulesSay(t *testing.T) {
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
	host, err := testnet.UpServices()
	if errors.Is(err, testnet.ErrUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { host.Close() })
	client := serveServices(t, host)
	t.Run("the firewall drops what it should", func(t *testing.T) { blackholed(t, host, client) })
	for _, s := range testnet.Services {
		t.Run(s.Name, func(t *testing.T) { connectScenario(t, host, s, client) })
	}
}

// serveServices starts the servers of the namespace, and returns what clients
// need for them.
func serveServices(t *testing.T, host *testnet.Host) (client *tls.Config) {
	t.Helper()
	ca, err := testpki.New(time.Now())
	require.NoError(t, err)
	cert, err := ca.Issue(testpki.Leaf{Names: []string{"*.test"}})
	require.NoError(t, err)
	server := func(alpn string) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{alpn}}
	}
	for _, s := range testnet.Servers {
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
				<-time.After(2 * time.Second)
				return slow, nil
			}}
		}
		h.serveQUIC(t, s.Addr, h3)
	}
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
	start := time.Now()
	r, err := c.Connect(t.Context())
	took := time.Since(start)
	require.NoError(t, err)
	defer r.Close()
	report := fact(t, r, quic.Race)
	t.Logf("%v\n%v", took, report)
	winner := report.Winner()
	assert.Equal(t, s.Over, string(fact(t, r, quic.Over)))
	assert.Equal(t, netip.MustParseAddr(s.Addr), winner.Addr.Addr())
	assert.GreaterOrEqual(t, winner.Start, s.Want)
	assert.Less(t, took, s.Want+slack)
	exchange(t, r)
}
