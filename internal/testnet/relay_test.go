package testnet_test

import (
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testnet"
)

// relayed opens a client and a server with a relay between them.
func relayed(t *testing.T) (r *testnet.Relay, client, server *net.UDPConn) {
	t.Helper()
	server = listenUDP(t)
	r, err := testnet.NewRelay(server.LocalAddr().(*net.UDPAddr).AddrPort())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	return r, listenUDP(t), server
}

func listenUDP(t *testing.T) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute))) // of a test that hangs
	return conn
}

func say(t *testing.T, from *net.UDPConn, what string, to netip.AddrPort) {
	t.Helper()
	_, err := from.WriteToUDPAddrPort([]byte(what), to)
	require.NoError(t, err)
}

func hear(t *testing.T, c *net.UDPConn) (string, netip.AddrPort) {
	t.Helper()
	p := make([]byte, 100)
	n, from, err := c.ReadFromUDPAddrPort(p)
	require.NoError(t, err)
	return string(p[:n]), from
}

func TestRelayPassesOnBothWays(t *testing.T) {
	r, client, server := relayed(t)
	other := listenUDP(t)
	say(t, client, "ping", r.Addr())
	what, back := hear(t, server)
	assert.Equal(t, "ping", what)
	say(t, other, "me too", r.Addr())
	what, backOfOther := hear(t, server)
	assert.Equal(t, "me too", what)
	assert.NotEqual(t, back, backOfOther, "a port for each client")
	assert.NotEqual(t, client.LocalAddr().(*net.UDPAddr).AddrPort(), back)

	say(t, server, "pong", back)
	what, from := hear(t, client)
	assert.Equal(t, "pong", what)
	assert.Equal(t, r.Addr(), from)
	assert.Equal(t, testnet.Counts{Sent: 3}, r.Counts())
}

func TestRelayHasTheFaults(t *testing.T) {
	r, client, server := relayed(t)
	r.SetFaults(testnet.Faults{Loss: 1})
	say(t, client, "lost", r.Addr())
	for r.Counts().Lost == 0 {
		runtime.Gosched() // until the relay has read it
	}
	r.SetFaults(testnet.Faults{Duplicate: 1, Delay: 20 * time.Millisecond})
	start := time.Now()
	say(t, client, "late", r.Addr())
	for range 2 {
		what, _ := hear(t, server)
		assert.Equal(t, "late", what, "and not lost")
		assert.GreaterOrEqual(t, time.Since(start), 20*time.Millisecond)
	}
	assert.Equal(t, testnet.Counts{Sent: 2, Lost: 1, Duplicated: 1}, r.Counts())
}

func TestRebindLosesTheOldPort(t *testing.T) {
	r, client, server := relayed(t)
	say(t, client, "one", r.Addr())
	_, before := hear(t, server)
	require.NoError(t, r.Rebind())
	say(t, client, "two", r.Addr())
	what, after := hear(t, server)
	assert.Equal(t, "two", what)
	assert.NotEqual(t, before, after)

	say(t, server, "to the old one", before)
	say(t, server, "to the new one", after)
	what, _ = hear(t, client)
	assert.Equal(t, "to the new one", what)
}

func TestRelayTakesNothingFromStrangers(t *testing.T) {
	r, client, server := relayed(t)
	say(t, client, "ping", r.Addr())
	_, back := hear(t, server)
	say(t, listenUDP(t), "from a stranger", back)
	say(t, server, "from the server", back)
	what, _ := hear(t, client)
	assert.Equal(t, "from the server", what)
}
