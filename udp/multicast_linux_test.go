package udp_test

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/udp"
)

// A groupTest sends to groups, by one interface of this machine.
type groupTest struct {
	listen  string     // where those who join listen
	ifi     string     // where they join
	from    string     // where the sender is bound
	unicast netip.Addr // an address of theirs

	group, other     netip.Addr
	source, stranger netip.Addr // the sender's, and that of nobody

	sent int
}

// want sends a packet to the group, and one to r itself. The two may come in
// either order, since each can be on a processor of its own.
func (g *groupTest) want(t *testing.T, s, r *udp.Conn, group netip.Addr, arrives bool, when string) {
	t.Helper()
	g.sent++
	port := addrOf(r).Port()
	number := strconv.Itoa(g.sent)
	want := []string{"itself " + number}
	if arrives {
		want = append(want, "group "+number)
	}
	send(t, s, udp.Packet{Data: []byte("group " + number), Addr: netip.AddrPortFrom(group, port)})
	send(t, s, udp.Packet{Data: []byte("itself " + number), Addr: netip.AddrPortFrom(g.unicast, port)})
	var got []string
	for range want {
		p := receive(t, r)
		got = append(got, string(p.Data))
		if strings.HasPrefix(string(p.Data), "group") {
			assert.Equal(t, group.WithZone(""), p.Local.WithZone(""), when)
		}
	}
	assert.ElementsMatch(t, want, got, when)
}

func TestGroupsOfIPv4(t *testing.T) {
	here := netip.MustParseAddr("127.0.0.1")
	testGroups(t, &groupTest{
		listen: "0.0.0.0:0", ifi: "lo", from: "127.0.0.1:0", unicast: here,
		group: netip.MustParseAddr("239.1.2.3"), other: netip.MustParseAddr("239.1.2.4"),
		source: here, stranger: netip.MustParseAddr("127.0.0.2"),
	})
}

func testGroups(t *testing.T, g *groupTest) {
	t.Helper()
	r := listen(t, g.listen, &udp.Config{Info: true})
	neighbor := listen(t, g.listen, nil) // joins what r does not
	s := listen(t, g.from, &udp.Config{MulticastInterface: g.ifi})
	m := udp.Membership{Group: g.group, Interface: g.ifi}

	g.want(t, s, r, g.group, false, "before Join")
	require.NoError(t, r.Join(m))
	require.NoError(t, neighbor.Join(udp.Membership{Group: g.other, Interface: g.ifi}))
	g.want(t, s, r, g.group, true, "after Join")
	g.want(t, s, r, g.other, false, "a group that another socket has joined")
	require.NoError(t, r.Leave(m))
	g.want(t, s, r, g.group, false, "after Leave")

	m.Source = g.source
	require.NoError(t, r.Join(m))
	g.want(t, s, r, g.group, true, "from its source")
	require.NoError(t, r.Leave(m))
	m.Source = g.stranger
	require.NoError(t, r.Join(m))
	g.want(t, s, r, g.group, false, "from another source")
	require.NoError(t, r.Leave(m))

	if g.ifi == "lo" {
		return // where everything comes back
	}
	silent := listen(t, g.from, &udp.Config{MulticastInterface: g.ifi, NoMulticastLoopback: true})
	m.Source = netip.Addr{}
	require.NoError(t, r.Join(m))
	g.want(t, silent, r, g.group, false, "without loopback")
	g.want(t, s, r, g.group, true, "with loopback")
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
