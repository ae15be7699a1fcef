package tcp_test

import (
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/tcp"
)

// option reads a socket option through the RawConn attribute.
func option(t *testing.T, c *tcp.Conn, level, name int) (value int) {
	t.Helper()
	raw, err := tcp.RawConn.Get(c)
	require.NoError(t, err)
	var optErr error
	require.NoError(t, raw.Control(func(fd uintptr) {
		value, optErr = syscall.GetsockoptInt(int(fd), level, name)
	}))
	require.NoError(t, optErr)
	return value
}

// deaf returns the address of a socket that completes one connection and
// leaves the next unanswered.
func deaf(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { syscall.Close(fd) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
}

// atSocket calls f with the descriptor of p.
func atSocket(t *testing.T, p attr.Provider, f func(fd int) error) {
	t.Helper()
	raw, err := tcp.RawConn.Get(p)
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) { err = f(int(fd)) }))
	require.NoError(t, err)
}

func addrPortOf(sa syscall.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *syscall.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

func TestAddressesAreThoseOfTheKernel(t *testing.T) {
	needIPv6(t)
	for _, tt := range []struct {
		addr   string
		family netconn.Family
	}{{"127.0.0.1:0", netconn.IPv4}, {"[::1]:0", netconn.IPv6}} {
		t.Run(string(tt.family), func(t *testing.T) {
			ln, err := tcp.Listen(t.Context(), tt.addr, nil)
			require.NoError(t, err)
			defer ln.Close()
			c, err := tcp.Dial(t.Context(), addrOf(ln), nil)
			require.NoError(t, err)
			defer c.Close()
			peer, err := ln.Accept(t.Context())
			require.NoError(t, err)
			defer peer.Close()
			for _, p := range []attr.Provider{ln, c, peer} {
				family, err := tcp.Family.Get(p)
				require.NoError(t, err)
				assert.Equal(t, tt.family, family)
				local, err := tcp.LocalAddrPort.Get(p)
				require.NoError(t, err)
				atSocket(t, p, func(fd int) error {
					sa, err := syscall.Getsockname(fd)
					assert.Equal(t, addrPortOf(sa), local)
					return err
				})
			}
			for _, p := range []attr.Provider{c, peer} {
				remote, err := tcp.RemoteAddrPort.Get(p)
				require.NoError(t, err)
				atSocket(t, p, func(fd int) error {
					sa, err := syscall.Getpeername(fd)
					assert.Equal(t, addrPortOf(sa), remote)
					return err
				})
			}
		})
	}
}

func TestListeningSocketCanBeBoundAgainAndTakesOptions(t *testing.T) {
	ln, err := named(t, tcp.ListenConfig{})
	require.NoError(t, err)
	for raw, err := range tcp.RawConn.All(ln) {
		require.NoError(t, err)
		require.NoError(t, raw.Control(func(fd uintptr) {
			reuse, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR)
			assert.NoError(t, err)
			assert.Equal(t, 1, reuse)
			assert.NoError(t, syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 20000))
		}))
	}
	dialEach(t, ln, 1)
	for range 2 {
		c, err := ln.Accept(t.Context())
		require.NoError(t, err)
		defer c.Close()
		assert.Equal(t, 40000, option(t, c, syscall.SOL_SOCKET, syscall.SO_RCVBUF), "which accepted sockets inherit, doubled")
		assert.True(t, noDelay(t, c))
		atSocket(t, c, func(fd int) error {
			flags, err := sysunix.FcntlInt(uintptr(fd), sysunix.F_GETFL, 0)
			assert.NotZero(t, flags&sysunix.O_NONBLOCK)
			return err
		})
	}
}
