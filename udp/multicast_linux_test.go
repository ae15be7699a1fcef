package udp_test

import (
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/udp"
)

// arrives reports whether what s sends to the group comes to r: it sends a
// packet to r itself after it, which comes later.
func arrives(t *testing.T, s, r *udp.Conn, group netip.Addr, r1 netip.Addr) bool {
	t.Helper()
	port := addrOf(r).Port()
	require.NoError(t, s.Send(t.Context(), udp.Packet{Data: []byte("group"), Addr: netip.AddrPortFrom(group, port)}))
	require.NoError(t, s.Send(t.Context(), udp.Packet{Data: []byte("marker"), Addr: netip.AddrPortFrom(r1, port)}))
	came := false
	for {
		p := receive(t, r)
		if string(p.Data) == "marker" {
			return came
		}
		came = true
		assert.Equal(t, "group", string(p.Data))
		assert.Equal(t, group.WithZone(""), p.Local.WithZone(""))
	}
}

func TestGroupsOfIPv4(t *testing.T) {
	here := netip.MustParseAddr("127.0.0.1")
	testGroups(t, "0.0.0.0:0", "lo", netip.MustParseAddr("239.1.2.3"), netip.MustParseAddr("239.1.2.4"), here,
		"127.0.0.1:0", here, netip.MustParseAddr("127.0.0.2"))
}

func testGroups(t *testing.T, addr, ifi string, group, other, unicast netip.Addr, from string, source, stranger netip.Addr) {
	t.Helper()
	r := listen(t, addr, &udp.Config{Info: true})
	neighbor := listen(t, addr, nil) // joins what r does not
	s := listen(t, from, &udp.Config{MulticastInterface: ifi})
	m := udp.Membership{Group: group, Interface: ifi}

	assert.False(t, arrives(t, s, r, group, unicast), "before Join")
	require.NoError(t, r.Join(m))
	require.NoError(t, neighbor.Join(udp.Membership{Group: other, Interface: ifi}))
	assert.True(t, arrives(t, s, r, group, unicast), "after Join")
	assert.False(t, arrives(t, s, r, other, unicast), "a group that another socket has joined")
	require.NoError(t, r.Leave(m))
	assert.False(t, arrives(t, s, r, group, unicast), "after Leave")

	m.Source = source
	require.NoError(t, r.Join(m))
	assert.True(t, arrives(t, s, r, group, unicast), "from its source")
	require.NoError(t, r.Leave(m))
	m.Source = stranger
	require.NoError(t, r.Join(m))
	assert.False(t, arrives(t, s, r, group, unicast), "from another source")
	require.NoError(t, r.Leave(m))

	if ifi == "lo" {
		return // where everything comes back
	}
	silent := listen(t, from, &udp.Config{MulticastInterface: ifi, NoMulticastLoopback: true})
	m.Source = netip.Addr{}
	require.NoError(t, r.Join(m))
	assert.False(t, arrives(t, silent, r, group, unicast), "without loopback")
}

func TestListenAtAGroupSharesThePort(t *testing.T) {
	a := listen(t, "239.1.2.9:0", nil)
	b, err := udp.Listen(t.Context(), netip.AddrPortFrom(netip.MustParseAddr("239.1.2.9"), addrOf(a).Port()).String(), nil)
	require.NoError(t, err)
	require.NoError(t, b.Close())
}

func TestMembershipThatCannotBeIsAnError(t *testing.T) {
	c := listen(t, "127.0.0.1:0", nil)
	require.ErrorIs(t, c.Join(udp.Membership{Group: netip.MustParseAddr("127.0.0.1")}), syscall.EINVAL)
	require.Error(t, c.Join(udp.Membership{Group: netip.MustParseAddr("239.1.2.3"), Interface: "no-such"}))
	require.Error(t, c.Leave(udp.Membership{Group: netip.MustParseAddr("239.1.2.3"), Interface: "lo"}), "not joined")
	require.NoError(t, c.Close())
	require.ErrorIs(t, c.Join(udp.Membership{Group: netip.MustParseAddr("239.1.2.3")}), net.ErrClosed)
}
