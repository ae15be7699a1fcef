package udp_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testnet"
	"github.com/strata-go/strata/udp"
)

// TestOnALink is about what the loopback interface does not have: groups of
// IPv6, zones, a firewall and a device whose queue is full. It runs itself
// again in a network namespace.
func TestOnALink(t *testing.T) {
	if !testnet.Inside() {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		out, err := testnet.RunTest(ctx, t.Name())
		t.Log(out)
		if errors.Is(err, testnet.ErrUnavailable) {
			t.Skip(err)
		}
		require.NoError(t, err)
		return
	}
	run(t, "ip", "link set lo up")
	run(t, "ip", "link add v0 type veth peer name v1")
	run(t, "ip", "address add 192.0.2.1/24 dev v0")
	run(t, "ip", "address add 2001:db8::1/64 dev v0 nodad")
	run(t, "ip", "address add fe80::1/64 dev v0 nodad")
	run(t, "ip", "link set v1 up")
	run(t, "ip", "link set v0 up")
	for _, to := range []string{"[2001:db8::1]:9", "[fe80::1%v0]:9", "[ff15::1:2:3%v0]:9"} {
		awaitRoute(t, to)
	}
	run(t, "ip", "neighbor add 192.0.2.2 lladdr 02:00:00:00:00:02 dev v0") // who takes everything

	t.Run("groups of IPv4", func(t *testing.T) {
		here := netip.MustParseAddr("192.0.2.1")
		testGroups(t, &groupTest{
			listen: "0.0.0.0:0", ifi: "v0", from: "192.0.2.1:0", unicast: here,
			group: netip.MustParseAddr("239.1.2.3"), other: netip.MustParseAddr("239.1.2.4"),
			source: here, stranger: netip.MustParseAddr("192.0.2.9"),
		})
	})
	t.Run("groups of IPv6", func(t *testing.T) {
		here := netip.MustParseAddr("2001:db8::1")
		testGroups(t, &groupTest{
			listen: "[::]:0", ifi: "v0", from: "[2001:db8::1]:0", unicast: here,
			group: netip.MustParseAddr("ff15::1:2:3"), other: netip.MustParseAddr("ff15::1:2:4"),
			source: here, stranger: netip.MustParseAddr("2001:db8::9"),
		})
	})
	t.Run("groups of IPv6 on each link", func(t *testing.T) {
		here := netip.MustParseAddr("fe80::1%v0")
		testGroups(t, &groupTest{
			listen: "[::]:0", ifi: "v0", from: "[fe80::1%v0]:0", unicast: here,
			group: netip.MustParseAddr("ff12::1:2:3%v0"), other: netip.MustParseAddr("ff12::1:2:4%v0"),
			source: here.WithZone(""), stranger: netip.MustParseAddr("fe80::9"),
		})
	})
	t.Run("zones are kept", zonesAreKept)
	t.Run("what a firewall refuses is reported and the socket lives", firewallRefuses)
	t.Run("what the path does not take in one piece is reported and the socket lives", longerThanThePath)
	t.Run("Send waits for a full device and can be canceled", sendWaitsForDevice)
	t.Run("ENOBUFS is reported and the socket lives", deviceIsFull)
}

// run runs a program, whose arguments have no spaces.
func run(t *testing.T, name, args string) {
	t.Helper()
	out, err := exec.Command(name, strings.Fields(args)...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip(err)
	}
	require.NoError(t, err, "%s %s: %s", name, args, out)
}

// awaitRoute waits until the kernel, which sees to that a little after a link is
// up, knows a way to addr.
func awaitRoute(t *testing.T, addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.Dial("udp6", addr)
		if err == nil {
			require.NoError(t, c.Close())
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.NoError(t, err)
		}
	}
}

func zonesAreKept(t *testing.T) {
	b := listen(t, "[fe80::1%v0]:0", nil)
	assert.Equal(t, "v0", addrOf(b).Addr().Zone())
	a := dial(t, b, nil)
	send(t, a, udp.Packet{Data: []byte("ping")})
	p := receive(t, b)
	assert.Equal(t, addrOf(a), p.Addr)
	assert.Equal(t, "v0", p.Addr.Addr().Zone())
	send(t, b, udp.Packet{Data: []byte("pong"), Addr: p.Addr})
	p = receive(t, a)
	assert.Equal(t, "pong", string(p.Data))
	assert.Equal(t, addrOf(b), p.Addr)

	everywhere := listen(t, "[::]:0", &udp.Config{Info: true})
	send(t, b, udp.Packet{Data: []byte("x"), Addr: netip.AddrPortFrom(addrOf(b).Addr(), addrOf(everywhere).Port())})
	assert.Equal(t, addrOf(b), receive(t, everywhere).Addr)
}

func firewallRefuses(t *testing.T) {
	run(t, "nft", "add table inet test")
	run(t, "nft", "add chain inet test output { type filter hook output priority 0 ; }")
	run(t, "nft", "add rule inet test output udp dport 7777 drop")
	a, b := listen(t, "192.0.2.1:0", nil), listen(t, "192.0.2.1:0", nil)
	refused := udp.Packet{Data: []byte("x"), Addr: netip.MustParseAddrPort("192.0.2.1:7777")}
	for range 2 {
		require.ErrorIs(t, a.Send(t.Context(), refused), syscall.EPERM)
	}
	send(t, a, udp.Packet{Data: []byte("on"), Addr: addrOf(b)})
	assert.Equal(t, "on", string(receive(t, b).Data))
	send(t, b, udp.Packet{Data: []byte("back"), Addr: addrOf(a)})
	assert.Equal(t, "back", string(receive(t, a).Data))
	n, err := a.SendBatch(t.Context(), []udp.Packet{{Data: []byte("good"), Addr: addrOf(b)}, refused})
	require.ErrorIs(t, err, syscall.EPERM)
	assert.Equal(t, 1, n)
	assert.Equal(t, "good", string(receive(t, b).Data))
}

// slow makes the link so slow that its queue of 20 kB is full at once.
func slow(t *testing.T) {
	t.Helper()
	run(t, "tc", "qdisc add dev v0 root tbf rate 64kbit burst 2kb limit 20kb")
	t.Cleanup(func() { run(t, "tc", "qdisc del dev v0 root") })
}

// away is who takes everything.
var away = netip.MustParseAddrPort("192.0.2.2:9")

func setOption(t *testing.T, c *udp.Conn, level, name, value int) {
	t.Helper()
	raw, err := udp.RawConn.Get(c)
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), level, name, value) }))
	require.NoError(t, err)
}

func sendWaitsForDevice(t *testing.T) {
	slow(t)
	a := listen(t, "0.0.0.0:0", nil)
	setOption(t, a, syscall.SOL_SOCKET, syscall.SO_SNDBUF, 8<<10) // less than the device takes
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	var err error
	const most = 10_000 // packets, for which the device needs 20 minutes
	sent := 0
	for ; err == nil && sent < most; sent++ {
		err = a.Send(ctx, udp.Packet{Data: make([]byte, 1000), Addr: away})
	}
	require.ErrorIs(t, err, context.DeadlineExceeded, "after %d packets", sent)
}

// longerThanThePath sends what the device does not take in one piece, with
// path MTU discovery (RFC 1191).
func longerThanThePath(t *testing.T) {
	run(t, "ip", "link set v0 mtu 1400")
	a, b := listen(t, "0.0.0.0:0", nil), listen(t, "127.0.0.1:0", nil)
	setOption(t, a, syscall.SOL_IP, syscall.IP_MTU_DISCOVER, syscall.IP_PMTUDISC_DO)
	const headers = 20 + 8
	send(t, a, udp.Packet{Data: make([]byte, 1400-headers), Addr: away})
	require.ErrorIs(t, a.Send(t.Context(), udp.Packet{Data: make([]byte, 1401-headers), Addr: away}), syscall.EMSGSIZE)
	n, err := a.SendBatch(t.Context(), []udp.Packet{
		{Data: []byte("fits"), Addr: away}, {Data: make([]byte, 1401-headers), Addr: away},
	})
	require.ErrorIs(t, err, syscall.EMSGSIZE)
	assert.Equal(t, 1, n)
	send(t, a, udp.Packet{Data: []byte("on"), Addr: addrOf(b)})
	assert.Equal(t, "on", string(receive(t, b).Data))
}

func deviceIsFull(t *testing.T) {
	slow(t)
	a, b := listen(t, "0.0.0.0:0", nil), listen(t, "127.0.0.1:0", nil)
	setOption(t, a, syscall.SOL_IP, syscall.IP_RECVERR, 1)
	var err error
	for range 100 {
		if err = a.Send(t.Context(), udp.Packet{Data: make([]byte, 1000), Addr: away}); err != nil {
			break
		}
	}
	require.ErrorIs(t, err, syscall.ENOBUFS)
	send(t, a, udp.Packet{Data: []byte("on"), Addr: addrOf(b)})
	p := receive(t, b)
	assert.Equal(t, "on", string(p.Data))
	send(t, b, udp.Packet{Data: []byte("back"), Addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), addrOf(a).Port())})
	assert.Equal(t, "back", string(receive(t, a).Data))
}
