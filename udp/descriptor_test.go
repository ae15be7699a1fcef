//go:build unix

package udp_test

import (
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/udp"
)

// descriptor returns one of a socket of package net.
func descriptor(t *testing.T, conn syscall.Conn) int {
	t.Helper()
	raw, err := conn.SyscallConn()
	require.NoError(t, err)
	fd := -1
	require.NoError(t, raw.Control(func(socket uintptr) { fd, err = syscall.Dup(int(socket)) }))
	require.NoError(t, err)
	return fd
}

func TestSocketFromADescriptorCarriesPackets(t *testing.T) {
	for name, from := range map[string]func(int) (*udp.Conn, error){
		"file": func(fd int) (*udp.Conn, error) { return udp.FromFile(os.NewFile(uintptr(fd), "socket")) },
		"fd":   func(fd int) (*udp.Conn, error) { return udp.FromFD(uintptr(fd)) },
	} {
		t.Run(name, func(t *testing.T) {
			theirs, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			require.NoError(t, err)
			defer theirs.Close()
			server, err := from(descriptor(t, theirs))
			require.NoError(t, err)
			defer server.Close()
			dialed, err := net.DialUDP("udp", nil, theirs.LocalAddr().(*net.UDPAddr))
			require.NoError(t, err)
			defer dialed.Close()
			client, err := from(descriptor(t, dialed))
			require.NoError(t, err)
			defer client.Close()
			_, err = udp.RemoteAddrPort.Get(client)
			require.NoError(t, err)

			require.NoError(t, client.Send(t.Context(), udp.Packet{Data: []byte("ping")}))
			p, err := server.Receive(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "ping", string(p.Data))
			require.NoError(t, server.Send(t.Context(), udp.Packet{Data: []byte("pong"), Addr: p.Addr}))
			p, err = client.Receive(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "pong", string(p.Data))
		})
	}
}

func TestDescriptorOfAnotherKindIsRefused(t *testing.T) {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer ln.Close()
	fd := descriptor(t, ln)
	_, err = udp.FromFD(uintptr(fd))
	require.ErrorIs(t, err, syscall.EPROTOTYPE)
	require.ErrorContains(t, err, "udp: descriptor")
	require.ErrorContains(t, err, "is a listening TCP socket, want a bound UDP socket")
	require.NoError(t, syscall.Close(fd), "left alone")
}
