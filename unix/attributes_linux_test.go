package unix_test

import (
	"net/netip"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/unix"
)

// flags returns those of the descriptor of p.
func flags(t *testing.T, p attr.Provider) (flags int) {
	t.Helper()
	raw, err := unix.RawConn.Get(p)
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) { flags, err = sysunix.FcntlInt(fd, sysunix.F_GETFL, 0) }))
	require.NoError(t, err)
	return flags
}

func TestUnixSocketsHaveNamesAndNoPorts(t *testing.T) {
	name := place(t)
	ln := listen(t, name, nil)
	a, err := unix.Dial(t.Context(), name, &unix.DialConfig{LocalName: name + "2"})
	require.NoError(t, err)
	defer a.Close()
	b, err := ln.Accept(t.Context())
	require.NoError(t, err)
	defer b.Close()
	p, q := packetPair(t)
	x, y, err := seqpackets(t.Context())
	require.NoError(t, err)
	defer x.Close()
	defer y.Close()
	for _, s := range []struct {
		what          string
		p             attr.Provider
		local, remote string // "-" where there is none
	}{
		{"listener", ln, name, "-"},
		{"client", a, name + "2", name},
		{"server", b, name, name + "2"},
		{"packets, connected", p, nameOf(p), nameOf(q)},
		{"packets, bound", q, nameOf(q), "-"},
		{"packets in order, client", x, "", nameOf(y)},
		{"packets in order, server", y, nameOf(y), ""},
	} {
		t.Run(s.what, func(t *testing.T) {
			family, err := unix.Family.Get(s.p)
			require.NoError(t, err)
			assert.Equal(t, netconn.Unix, family)
			local, err := unix.LocalAddr.Get(s.p)
			require.NoError(t, err)
			assert.Equal(t, s.local, local.String())
			remote, err := unix.RemoteAddr.Get(s.p)
			if s.remote == "-" {
				require.ErrorIs(t, err, attr.ErrNotFound)
			} else {
				require.NoError(t, err)
				assert.Equal(t, s.remote, remote.String())
			}
			for _, key := range []attr.Key[netip.AddrPort]{netconn.LocalAddrPort, netconn.RemoteAddrPort} {
				_, err = key.Get(s.p)
				assert.ErrorIs(t, err, attr.ErrNotFound, key.Name())
			}
			assert.NotZero(t, flags(t, s.p)&syscall.O_NONBLOCK)
		})
	}
}

func TestListeningSocketTakesOptions(t *testing.T) {
	ln := listen(t, "", nil)
	raw, err := unix.RawConn.Get(ln)
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_PASSCRED, 1)
		assert.NoError(t, err)
		got, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_PASSCRED)
		assert.NoError(t, err)
		assert.Equal(t, 1, got)
	}))
}
