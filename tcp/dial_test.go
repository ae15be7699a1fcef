package tcp_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/tcp"
)

// free returns an address on which nobody listens.
func free(t *testing.T) string {
	t.Helper()
	ln, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	return addrOf(ln)
}

func TestDialRefusesWhatIsNoAddress(t *testing.T) {
	tests := []struct{ name, addr, want string }{
		{"empty", "", "empty address"},
		{"no port", "localhost", "missing port"},
		{"empty port", "localhost:", "missing port"},
		{"port zero", "localhost:0", "missing port"},
		{"no host", ":80", "missing host"},
		{"port out of range", "127.0.0.1:65536", "invalid port"},
		{"negative port", "127.0.0.1:-1", "invalid port"},
		{"unknown service", "127.0.0.1:no-such-service", "no-such-service"},
		{"literal without brackets", "::1:80", "too many colons"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tcp.Dial(t.Context(), tt.addr, nil)
			require.Error(t, err)
			assert.ErrorContains(t, err, tt.want)
			dial, ok := errors.AsType[*tcp.DialError](err)
			require.True(t, ok)
			assert.Equal(t, tt.addr, dial.Addr)
		})
	}
}

func TestDialErrorNamesAddressAndReason(t *testing.T) {
	addr := free(t)
	_, err := tcp.Dial(t.Context(), addr, nil)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	assert.True(t, strings.HasPrefix(err.Error(), "tcp: dial "+addr+": connect"), "the address is said once: %v", err)
	op, ok := errors.AsType[*net.OpError](err)
	require.True(t, ok)
	assert.Equal(t, "dial", op.Op)
	assert.Nil(t, op.Source, "bound without need")
}

func TestPortMayBeTheNameOfAService(t *testing.T) {
	_, err := tcp.Dial(t.Context(), "127.0.0.1:gopher", nil)
	op, ok := errors.AsType[*net.OpError](err)
	require.True(t, ok, "%v: somebody serves Gopher here", err)
	assert.Equal(t, "127.0.0.1:70", op.Addr.String())
}

func TestDialOfANameKeepsTheName(t *testing.T) {
	ln := listen(t, nil)
	_, port, err := net.SplitHostPort(addrOf(ln))
	require.NoError(t, err)
	c, err := tcp.Dial(t.Context(), net.JoinHostPort("localhost", port), nil)
	require.NoError(t, err)
	defer c.Close()
	host, err := tcp.Host.Get(c)
	require.NoError(t, err)
	assert.Equal(t, "localhost", host)
}

func TestUnknownHostIsADNSError(t *testing.T) {
	_, err := tcp.Dial(t.Context(), "no-such-host.invalid:80", nil)
	require.Error(t, err)
	_, ok := errors.AsType[*net.DNSError](err)
	assert.True(t, ok, "%v", err)
}

func TestDialFromALocalAddress(t *testing.T) {
	ln := listen(t, nil)
	to, err := tcp.LocalAddrPort.Get(ln)
	require.NoError(t, err)
	from := netip.MustParseAddr("127.0.0.2")
	for _, port := range []uint16{0, to.Port()} { // which is free there, as a rule
		want := netip.AddrPortFrom(from, port)
		c, err := tcp.Dial(t.Context(), to.String(), &tcp.DialConfig{LocalAddr: want})
		if errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Skip("the system has no address 127.0.0.2")
		}
		require.NoError(t, err)
		defer c.Close()
		local, err := tcp.LocalAddrPort.Get(c)
		require.NoError(t, err)
		assert.Equal(t, from, local.Addr())
		if port != 0 {
			assert.Equal(t, want, local)
		}
	}
}

func TestDialFromALocalPort(t *testing.T) {
	ln := listen(t, nil)
	for range 20 {
		from := netip.MustParseAddrPort(free(t)).Port()
		c, err := tcp.Dial(t.Context(), addrOf(ln), &tcp.DialConfig{LocalAddr: netip.AddrPortFrom(netip.Addr{}, from)})
		if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EADDRNOTAVAIL) {
			continue // it was free
		}
		require.NoError(t, err)
		defer c.Close()
		local, err := tcp.LocalAddrPort.Get(c)
		require.NoError(t, err)
		assert.Equal(t, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), from), local)
		return
	}
	t.Fatal("no port stays free")
}

func TestLocalAddressRestrictsTheFamily(t *testing.T) {
	local := netip.MustParseAddrPort("[::1]:0")
	_, err := tcp.Dial(t.Context(), "127.0.0.1:80", &tcp.DialConfig{LocalAddr: local})
	assert.ErrorContains(t, err, "no address of the local address's family")
}

func TestCanceledDialIsToldByItsCause(t *testing.T) {
	reason := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	_, err := tcp.Dial(ctx, "127.0.0.1:80", nil)
	assert.ErrorIs(t, err, reason)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestDialGivesUpAtTheDeadline(t *testing.T) {
	// A socket that never accepts, with room for one connection in its
	// backlog: once that is taken, the next handshake gets no answer.
	addr := deaf(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	for range 8 {
		c, err := tcp.Dial(ctx, addr, nil)
		if err == nil {
			defer c.Close()
			continue
		}
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		return
	}
	t.Fatal("every dial succeeded")
}

// noDelay reads TCP_NODELAY.
func noDelay(t *testing.T, c *tcp.Conn) bool {
	t.Helper()
	return option(t, c, syscall.IPPROTO_TCP, syscall.TCP_NODELAY) != 0
}

func TestNagleIsOffUnlessAskedFor(t *testing.T) {
	for _, nagle := range []bool{false, true} {
		ln := listen(t, &tcp.ListenConfig{Options: tcp.Options{Nagle: nagle}})
		a, err := tcp.Dial(t.Context(), addrOf(ln), &tcp.DialConfig{Options: tcp.Options{Nagle: nagle}})
		require.NoError(t, err)
		b, err := ln.Accept(t.Context())
		require.NoError(t, err)
		assert.Equal(t, !nagle, noDelay(t, a))
		assert.Equal(t, !nagle, noDelay(t, b))
		a.Close()
		b.Close()
	}
}

func TestKeepAliveIsOnUnlessTurnedOff(t *testing.T) {
	for _, keepAlive := range []time.Duration{0, time.Minute, -1} {
		ln := listen(t, &tcp.ListenConfig{Options: tcp.Options{KeepAlive: keepAlive}})
		a, err := tcp.Dial(t.Context(), addrOf(ln), &tcp.DialConfig{Options: tcp.Options{KeepAlive: keepAlive}})
		require.NoError(t, err)
		b, err := ln.Accept(t.Context())
		require.NoError(t, err)
		for _, c := range []*tcp.Conn{a, b} {
			assert.Equal(t, keepAlive >= 0, option(t, c, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE) != 0)
			c.Close()
		}
	}
}

func TestConnectorDialsEachTime(t *testing.T) {
	ln := listen(t, nil)
	connector := &tcp.Connector{Addr: addrOf(ln)}
	for range 2 {
		c, err := connector.Connect(t.Context())
		require.NoError(t, err)
		c.Close()
	}
}
