package udp_test

import (
	"context"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/udp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(tb testing.TB, addr string, cfg *udp.Config) *udp.Conn {
	tb.Helper()
	c, err := udp.Listen(tb.Context(), addr, cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { c.Close() })
	return c
}

func dial(tb testing.TB, to *udp.Conn, cfg *udp.Config) *udp.Conn {
	tb.Helper()
	c, err := udp.Dial(tb.Context(), addrOf(to).String(), cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { c.Close() })
	return c
}

func addrOf(p attr.Provider) netip.AddrPort {
	addr, _ := udp.LocalAddrPort.Lookup(p)
	return addr
}

// pair returns a socket that is connected to one that listens.
func pair(tb testing.TB) (a, b *udp.Conn) {
	tb.Helper()
	b = listen(tb, "127.0.0.1:0", nil)
	return dial(tb, b, nil), b
}

func receive(tb testing.TB, c *udp.Conn) udp.Packet {
	tb.Helper()
	p, err := c.Receive(tb.Context())
	require.NoError(tb, err)
	return p
}

func send(tb testing.TB, c *udp.Conn, p udp.Packet) {
	tb.Helper()
	require.NoError(tb, c.Send(tb.Context(), p))
}

// answering sends everything to one peer.
type answering struct {
	*udp.Conn
	to netip.AddrPort
}

func (a answering) Send(ctx context.Context, p udp.Packet) error {
	p.Addr = a.to
	return a.Conn.Send(ctx, p)
}
