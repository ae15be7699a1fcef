package unix_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/unix"
)

// socketpair returns two connected descriptors without names.
func socketpair(t *testing.T, kind int) [2]int {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, kind|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	return fds
}

// duplicate returns another descriptor for the socket of p.
func duplicate(t *testing.T, p attr.Provider) int {
	t.Helper()
	raw, err := unix.RawConn.Get(p)
	require.NoError(t, err)
	fd := -1
	require.NoError(t, raw.Control(func(socket uintptr) { fd, err = syscall.Dup(int(socket)) }))
	require.NoError(t, err)
	return fd
}

func file(fd int) *os.File { return os.NewFile(uintptr(fd), "socket") }

func TestPairOfDescriptorsBecomesStreams(t *testing.T) {
	fds := socketpair(t, syscall.SOCK_STREAM)
	a, err := unix.FromFD(uintptr(fds[0]))
	require.NoError(t, err)
	defer a.Close()
	b, err := unix.FromFile(file(fds[1]))
	require.NoError(t, err)
	defer b.Close()
	_, err = a.Send(t.Context(), []byte("x"))
	require.NoError(t, err)
	n, err := b.Receive(t.Context(), make([]byte, 2))
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	cred, err := unix.PeerCred.Get(b)
	require.NoError(t, err)
	assert.Equal(t, os.Getpid(), cred.PID)
}

func TestPairOfDescriptorsCarriesPacketsInOrder(t *testing.T) {
	fds := socketpair(t, syscall.SOCK_SEQPACKET)
	a, err := unix.SeqpacketFromFD(uintptr(fds[0]))
	require.NoError(t, err)
	defer a.Close()
	b, err := unix.SeqpacketFromFile(file(fds[1]))
	require.NoError(t, err)
	defer b.Close()
	require.NoError(t, a.Send(t.Context(), []byte("one")))
	require.NoError(t, a.Send(t.Context(), nil))
	for _, want := range []string{"one", ""} {
		p, err := b.Receive(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, string(p))
	}
}

func TestPairOfDescriptorsCarriesPackets(t *testing.T) {
	fds := socketpair(t, syscall.SOCK_DGRAM)
	a, err := unix.PacketFromFD(uintptr(fds[0]))
	require.NoError(t, err)
	defer a.Close()
	b, err := unix.PacketFromFile(file(fds[1]))
	require.NoError(t, err)
	defer b.Close()
	require.NoError(t, a.Send(t.Context(), unix.Packet{Data: []byte("x")}))
	p, err := b.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "x", string(p.Data))
}

// acceptsFrom dials a listener that was made from a descriptor, closes it and
// sees to it that the socket file is still there.
func acceptsFrom[S stream.Resource](t *testing.T, ln stream.Listener[S], path string, dial func(context.Context) (stream.Resource, error)) {
	t.Helper()
	c, err := dial(t.Context())
	require.NoError(t, err)
	defer c.Close()
	s, err := ln.Accept(t.Context())
	require.NoError(t, err)
	family, err := unix.Family.Get(s)
	require.NoError(t, err)
	assert.Equal(t, netconn.Unix, family)
	require.NoError(t, s.Close())
	require.NoError(t, ln.Close())
	_, err = os.Lstat(path)
	assert.NoError(t, err, "it belongs to whoever made it")
}

func TestListenerFromADescriptorAccepts(t *testing.T) {
	for name, from := range map[string]func(int) (*unix.Listener, error){
		"file": func(fd int) (*unix.Listener, error) { return unix.ListenerFromFile(file(fd)) },
		"fd":   func(fd int) (*unix.Listener, error) { return unix.ListenerFromFD(uintptr(fd)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "socket")
			original, err := unix.Listen(t.Context(), path, nil)
			require.NoError(t, err)
			defer original.Close()
			ln, err := from(duplicate(t, original))
			require.NoError(t, err)
			acceptsFrom(t, ln, path, func(ctx context.Context) (stream.Resource, error) { return unix.Dial(ctx, path, nil) })
		})
	}
}

func TestSeqpacketListenerFromADescriptorAccepts(t *testing.T) {
	for name, from := range map[string]func(int) (*unix.SeqpacketListener, error){
		"file": func(fd int) (*unix.SeqpacketListener, error) { return unix.SeqpacketListenerFromFile(file(fd)) },
		"fd":   func(fd int) (*unix.SeqpacketListener, error) { return unix.SeqpacketListenerFromFD(uintptr(fd)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "socket")
			original, err := unix.ListenSeqpacket(t.Context(), path, nil)
			require.NoError(t, err)
			defer original.Close()
			ln, err := from(duplicate(t, original))
			require.NoError(t, err)
			acceptsFrom(t, ln, path, func(ctx context.Context) (stream.Resource, error) { return unix.DialSeqpacket(ctx, path, nil) })
		})
	}
}

func TestDescriptorOfAnotherKindIsRefused(t *testing.T) {
	fds := socketpair(t, syscall.SOCK_DGRAM)
	defer syscall.Close(fds[1])
	_, err := unix.FromFD(uintptr(fds[0]))
	require.ErrorIs(t, err, syscall.EPROTOTYPE)
	require.ErrorContains(t, err, "unix: descriptor")
	require.ErrorContains(t, err, "is a connected Unix packet socket, want a connected Unix stream socket")
	require.NoError(t, syscall.Close(fds[0]), "left alone")

	unconnected, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	_, err = unix.FromFD(uintptr(unconnected))
	require.ErrorIs(t, err, syscall.ENOTCONN)
	_, err = unix.ListenerFromFD(uintptr(unconnected))
	require.ErrorIs(t, err, syscall.EINVAL)
	require.NoError(t, syscall.Close(unconnected), "left alone")
}
