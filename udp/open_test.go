package udp_test

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/udp"
)

// openings are the ways to a socket at an address.
var openings = map[string]func(ctx context.Context, addr string, cfg *udp.Config) (*udp.Conn, error){
	"Dial": udp.Dial, "Listen": udp.Listen,
}

// unresolved has lookups of the test fail, once asked was called.
func unresolved(t *testing.T, asked func()) {
	t.Helper()
	system := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = system })
	net.DefaultResolver = &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			asked()
			return nil, errors.New("no network")
		},
	}
}

func TestPortMayBeTheNameOfAService(t *testing.T) {
	c, err := udp.Dial(t.Context(), "127.0.0.1:domain", nil)
	require.NoError(t, err)
	defer c.Close()
	addr, _ := udp.RemoteAddrPort.Lookup(c)
	require.Equal(t, "127.0.0.1:53", addr.String())
}

func TestWhatFailsToOpenLeavesNoDescriptor(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/dev/fd")
		if err != nil {
			t.Skip("this system does not list descriptors")
		}
		return len(entries)
	}
	taken := listen(t, "127.0.0.1:0", nil)
	before := open()
	for range 50 {
		_, err := udp.Listen(t.Context(), addrOf(taken).String(), nil)
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		_, err = udp.Dial(t.Context(), "127.0.0.1:9", &udp.Config{LocalAddr: addrOf(taken)})
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		_, err = udp.Dial(t.Context(), "127.0.0.1:9", &udp.Config{MulticastInterface: "no-such"})
		require.Error(t, err)
	}
	require.Equal(t, before, open())
}

func TestCanceledLookupTellsWhy(t *testing.T) {
	enough := errors.New("enough")
	for name, open := range openings {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			unresolved(t, func() { cancel(enough) })
			_, err := open(ctx, "host.test:53", nil)
			require.ErrorIs(t, err, enough)
			require.ErrorIs(t, err, context.Canceled)
		})
	}
}

func TestNamesInOtherScriptsAreLookedUpAsTheDNSHasThem(t *testing.T) {
	for name, open := range openings {
		t.Run(name, func(t *testing.T) {
			unresolved(t, func() {})
			_, err := open(t.Context(), "fa\u00df.test:53", nil)
			require.ErrorContains(t, err, "lookup xn--fa-hia.test")
			_, err = open(t.Context(), "\u2028.test:53", nil)
			require.ErrorContains(t, err, "not a host name")
		})
	}
}
