//go:build unix

package tcp_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/tcp"
)

// duplicate returns another descriptor for the socket of p.
func duplicate(t *testing.T, p attr.Provider) int {
	t.Helper()
	raw, err := tcp.RawConn.Get(p)
	require.NoError(t, err)
	return dup(t, raw)
}

func dup(t *testing.T, raw syscall.RawConn) (fd int) {
	t.Helper()
	var err error
	require.NoError(t, raw.Control(func(socket uintptr) { fd, err = syscall.Dup(int(socket)) }))
	require.NoError(t, err)
	return fd
}

func TestConnectionFromADescriptorIsAStream(t *testing.T) {
	for name, from := range map[string]func(int) (*tcp.Conn, error){
		"file": func(fd int) (*tcp.Conn, error) { return tcp.FromFile(os.NewFile(uintptr(fd), "socket")) },
		"fd":   func(fd int) (*tcp.Conn, error) { return tcp.FromFD(uintptr(fd)) },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := connected(t)
			fd := duplicate(t, a)
			require.NoError(t, syscall.SetNonblock(fd, false)) // as it may come from elsewhere
			c, err := from(fd)
			require.NoError(t, err)
			defer c.Close()
			want, _ := tcp.RemoteAddrPort.Lookup(a)
			got, err := tcp.RemoteAddrPort.Get(c)
			require.NoError(t, err)
			assert.Equal(t, want, got)
			_, err = c.Send(t.Context(), []byte("x"))
			require.NoError(t, err)
			n, err := b.Receive(t.Context(), make([]byte, 2))
			require.NoError(t, err)
			assert.Equal(t, 1, n)
		})
	}
}

func TestListenerFromADescriptorAccepts(t *testing.T) {
	for name, from := range map[string]func(int) (*tcp.Listener, error){
		"file": func(fd int) (*tcp.Listener, error) { return tcp.ListenerFromFile(os.NewFile(uintptr(fd), "socket")) },
		"fd":   func(fd int) (*tcp.Listener, error) { return tcp.ListenerFromFD(uintptr(fd)) },
	} {
		t.Run(name, func(t *testing.T) {
			ln, err := from(duplicate(t, listen(t, nil)))
			require.NoError(t, err)
			defer ln.Close()
			c, err := tcp.Dial(t.Context(), addrOf(ln), nil)
			require.NoError(t, err)
			defer c.Close()
			peer, err := ln.Accept(t.Context())
			require.NoError(t, err)
			assert.NoError(t, peer.Close())
		})
	}
}

func TestDescriptorInTheWrongStateIsRefused(t *testing.T) {
	a, _ := connected(t)
	fd := duplicate(t, listen(t, nil))
	_, err := tcp.FromFD(uintptr(fd))
	require.ErrorIs(t, err, syscall.ENOTCONN)
	require.ErrorContains(t, err, "is a listening TCP socket, want a connected TCP socket")
	require.NoError(t, syscall.Close(fd), "left alone")
	fd = duplicate(t, a)
	_, err = tcp.ListenerFromFD(uintptr(fd))
	require.ErrorIs(t, err, syscall.EINVAL)
	require.ErrorContains(t, err, "is a connected TCP socket, want a listening TCP socket")
	require.NoError(t, syscall.Close(fd), "left alone")
}
