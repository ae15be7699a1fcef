package tcp_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testnet"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
)

// TestInANetworkThatFails runs itself again in a network namespace, whose
// firewall and settings it changes.
func TestInANetworkThatFails(t *testing.T) {
	if !testnet.Inside() {
		rerun(t)
		return
	}
	host, err := testnet.Up()
	if errors.Is(err, testnet.ErrUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
	defer host.Close()
	t.Run("what has no answer is counted", unacknowledged)
	t.Run("user timeout breaks what has no answer", userTimeout)
	t.Run("user timeout bounds connecting", userTimeoutOfConnecting)
	t.Run("keep-alive breaks what is silent", keepAlive)
	t.Run("a connection to itself is refused", selfConnect)
	t.Run("a family that is not there is left out", withoutIPv6)
}

// vanish drops what is sent to and from the port of addr.
func vanish(t *testing.T, addr string) {
	t.Helper()
	p := port(t, addr)
	for _, match := range []string{"dport", "sport"} {
		out, err := exec.Command("nft", "add", "rule", "inet", "testnet", "input", "tcp", match, p, "drop").CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}

// vanished returns a connection whose peer has vanished.
func vanished(t *testing.T, o tcp.Options) *tcp.Conn {
	t.Helper()
	ln := listen(t, nil)
	c, err := tcp.Dial(t.Context(), addrOf(ln), &tcp.DialConfig{Options: o})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	peer, err := ln.Accept(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { peer.Close() })
	vanish(t, addrOf(ln))
	return c
}

// The system's own limits are 15 minutes, and with the keep-alive of package
// net 2.5 minutes; soon is less, on any machine.
const soon = 2 * time.Minute

func userTimeout(t *testing.T) {
	const timeout = 500 * time.Millisecond
	c := vanished(t, tcp.Options{UserTimeout: timeout})
	start := time.Now()
	_, err := c.Send(t.Context(), []byte("hello?"))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	_, err = c.Receive(ctx, make([]byte, 1))
	require.ErrorIs(t, err, stream.ErrBroken)
	require.ErrorIs(t, err, syscall.ETIMEDOUT)
	assert.GreaterOrEqual(t, time.Since(start), timeout)
	info, err := tcp.Info.Get(c)
	require.NoError(t, err)
	assert.NotZero(t, info.TotalRetransmits)
}

func unacknowledged(t *testing.T) {
	c := vanished(t, tcp.Options{})
	_, err := c.Send(t.Context(), []byte("hello?"))
	require.NoError(t, err)
	info, err := tcp.Info.Get(c)
	require.NoError(t, err)
	assert.EqualValues(t, 1, info.Unacked)
	require.NoError(t, c.Abort(nil))
}

func userTimeoutOfConnecting(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	_, err := tcp.Dial(ctx, "198.51.100.1:80", &tcp.DialConfig{Options: tcp.Options{UserTimeout: time.Second}})
	require.ErrorIs(t, err, syscall.ETIMEDOUT)
	require.NoError(t, ctx.Err())
}

func keepAlive(t *testing.T) {
	c := vanished(t, tcp.Options{KeepAlive: time.Second, KeepAliveInterval: time.Second, KeepAliveCount: 2})
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	_, err := c.Receive(ctx, make([]byte, 1))
	require.ErrorIs(t, err, stream.ErrBroken)
	require.ErrorIs(t, err, syscall.ETIMEDOUT)
}

// selfConnect leaves the system one port to choose, which nobody listens on,
// and which no connection of before keeps from being chosen again.
func selfConnect(t *testing.T) {
	const only = 40000
	setting(t, "net/ipv4/ip_local_port_range", strconv.Itoa(only)+" "+strconv.Itoa(only))
	setting(t, "net/ipv4/tcp_max_tw_buckets", "0")
	addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), only)
	_, err := tcp.Dial(t.Context(), addr.String(), nil)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)

	c, err := tcp.Dial(t.Context(), addr.String(), &tcp.DialConfig{LocalAddr: addr})
	require.NoError(t, err, "who asks for the port asks for the connection")
	defer c.Close()
	require.NoError(t, talk(t.Context(), c, c, 8))
}

// setting changes one of this network's.
func setting(t *testing.T, name, value string) {
	t.Helper()
	path := "/proc/sys/" + name
	old, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte(value), 0))
	t.Cleanup(func() { assert.NoError(t, os.WriteFile(path, old, 0)) })
}

func withoutIPv6(t *testing.T) {
	setting(t, "net/ipv6/conf/all/disable_ipv6", "1")
	cfg := &tcp.ListenConfig{Resolver: &hosts{addrs: []string{"127.0.0.1", "::1"}}, NoDualStack: true}
	ln, err := tcp.Listen(t.Context(), "host.test:0", cfg)
	require.NoError(t, err)
	defer ln.Close()
	assert.Len(t, addrsOf(t, ln), 1)
	reaches(t, ln, addrOf(ln), true)
	_, err = tcp.Listen(t.Context(), "[::1]:0", nil)
	require.ErrorIs(t, err, syscall.EADDRNOTAVAIL, "when nothing is left")
	everywhere, err := tcp.Listen(t.Context(), ":0", cfg)
	require.NoError(t, err)
	defer everywhere.Close()
	reaches(t, everywhere, "127.0.0.1:"+port(t, addrOf(everywhere)), true)
}
