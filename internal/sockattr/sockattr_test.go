package sockattr_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
)

var table = attr.Define(sockattr.Facts(func(i *sockattr.Info) *sockattr.Info { return i })...)

func TestAddressesOfEveryKind(t *testing.T) {
	tests := []struct {
		name   string
		addr   net.Addr
		port   string // empty: absent
		family sockattr.Family
	}{
		{"tcp", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, "192.0.2.1:80", sockattr.IPv4},
		{"udp", &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, "192.0.2.1:80", sockattr.IPv4},
		{"mapped", net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[::ffff:192.0.2.1]:80")), "192.0.2.1:80", sockattr.IPv4},
		{"ipv6", net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[2001:db8::1]:80")), "[2001:db8::1]:80", sockattr.IPv6},
		{
			"zone", net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[fe80::1%eth0]:80")),
			"[fe80::1%eth0]:80", sockattr.IPv6,
		},
		{"unix", &net.UnixAddr{Name: "/path", Net: "unix"}, "", sockattr.Unix},
		{"no port", &net.IPAddr{IP: net.IPv4(192, 0, 2, 1)}, "", ""},
		{"a nil pointer", (*net.TCPAddr)(nil), "", ""},
		{"none", nil, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set := table.For(&sockattr.Info{Local: tt.addr, Remote: tt.addr})
			for _, k := range []attr.Key[netip.AddrPort]{sockattr.LocalAddrPort, sockattr.RemoteAddrPort} {
				port, err := k.Get(set)
				if tt.port == "" {
					assert.ErrorIs(t, err, attr.ErrNotFound)
					continue
				}
				require.NoError(t, err)
				assert.Equal(t, tt.port, port.String())
			}
			family, ok := sockattr.NetFamily.Lookup(set)
			assert.Equal(t, tt.family, family)
			assert.Equal(t, tt.family != "", ok)
			_, ok = sockattr.RemoteAddr.Lookup(set)
			assert.Equal(t, tt.addr != nil, ok)
		})
	}
}

func TestHostIsWhatWasDialed(t *testing.T) {
	host, err := sockattr.Host.Get(table.For(&sockattr.Info{Host: "host.example"}))
	require.NoError(t, err)
	assert.Equal(t, "host.example", host)
	_, err = sockattr.Host.Get(table.For(&sockattr.Info{}))
	assert.ErrorIs(t, err, attr.ErrNotFound)
}

func TestLookupsDoNotAllocate(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	info := sockattr.Of(a)
	info.Local = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}
	set := table.For(&info)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		sockattr.LocalAddr.Get(set)
		sockattr.LocalAddrPort.Get(set)
		sockattr.NetFamily.Get(set)
		sockattr.NetConn.Get(set)
		sockattr.PeerCred.Get(set)
	}))
}
