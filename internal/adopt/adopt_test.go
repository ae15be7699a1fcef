//go:build unix

package adopt_test

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/adopt"

	sysunix "golang.org/x/sys/unix"
)

// socket opens a descriptor, which somebody else closes.
func socket(t *testing.T, family, kind int) int {
	t.Helper()
	fd, err := sysunix.Socket(family, kind, 0)
	if errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EPROTONOSUPPORT) {
		t.Skip("the system has no such sockets")
	}
	require.NoError(t, err)
	return fd
}

func isOpen(fd int) bool {
	_, err := sysunix.FcntlInt(uintptr(fd), sysunix.F_GETFD, 0)
	return err == nil
}

func listening(t *testing.T) int {
	t.Helper()
	fd := socket(t, sysunix.AF_INET, sysunix.SOCK_STREAM)
	require.NoError(t, sysunix.Bind(fd, &sysunix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, sysunix.Listen(fd, 1))
	return fd
}

func TestWhatIsNotWantedIsToldAndLeftAlone(t *testing.T) {
	file := func(t *testing.T) int {
		t.Helper()
		fds := make([]int, 2)
		require.NoError(t, sysunix.Pipe(fds))
		require.NoError(t, sysunix.Close(fds[1]))
		return fds[0]
	}
	of := func(family, kind int) func(*testing.T) int {
		return func(t *testing.T) int { t.Helper(); return socket(t, family, kind) }
	}
	bound := func(t *testing.T) int {
		t.Helper()
		fd := socket(t, sysunix.AF_INET, sysunix.SOCK_DGRAM)
		require.NoError(t, sysunix.Bind(fd, &sysunix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
		return fd
	}
	conn := adopt.Want{Network: "tcp", State: adopt.Connected}
	ln := adopt.Want{Network: "tcp", State: adopt.Listening}
	udp := adopt.Want{Network: "udp", State: adopt.Bound}
	unix := adopt.Want{Network: "unix", State: adopt.Connected}
	tests := []struct {
		name string
		make func(*testing.T) int
		want adopt.Want
		text string
		err  error
	}{
		{"file", file, conn, "is no socket, want a connected TCP socket", syscall.ENOTSOCK},
		{"unconnected", of(sysunix.AF_INET, sysunix.SOCK_STREAM), conn, "is an unbound TCP socket", syscall.ENOTCONN},
		{"listening", listening, conn, "is a listening TCP socket, want a connected TCP socket", syscall.ENOTCONN},
		{"not listening", of(sysunix.AF_INET6, sysunix.SOCK_STREAM), ln, "want a listening TCP socket", syscall.EINVAL},
		{"packets for a stream", bound, conn, "is a bound UDP socket", syscall.EPROTOTYPE},
		{"packets for a listener", bound, ln, "is a bound UDP socket", syscall.EPROTOTYPE},
		{"stream for packets", listening, udp, "is a listening TCP socket, want a bound UDP socket", syscall.EPROTOTYPE},
		{"no port", of(sysunix.AF_INET, sysunix.SOCK_DGRAM), udp, "is an unbound UDP socket", syscall.EINVAL},
		{"Unix for TCP", of(sysunix.AF_UNIX, sysunix.SOCK_STREAM), conn, "is an unbound Unix stream socket", syscall.EAFNOSUPPORT},
		{"TCP for Unix", listening, unix, "is a listening TCP socket, want a connected Unix stream socket", syscall.EAFNOSUPPORT},
		{"Unix packets for a stream", of(sysunix.AF_UNIX, sysunix.SOCK_DGRAM), unix, "is an unbound Unix packet socket", syscall.EPROTOTYPE},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fd := tt.make(t)
			_, err := adopt.FD(uintptr(fd), tt.want, net.FileConn)
			wanted, ok := errors.AsType[*adopt.DescriptorError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, fd, wanted.FD)
			require.ErrorContains(t, err, tt.text)
			require.ErrorIs(t, err, tt.err)
			assert.True(t, isOpen(fd), "left alone")

			f := os.NewFile(uintptr(fd), "socket")
			_, err = adopt.File(f, tt.want, net.FileConn)
			require.ErrorIs(t, err, tt.err)
			assert.NoError(t, f.Close(), "left alone")
		})
	}
}

func TestWhatIsNotOpenIsAnError(t *testing.T) {
	conn := adopt.Want{Network: "tcp", State: adopt.Connected}
	fd := socket(t, sysunix.AF_INET, sysunix.SOCK_STREAM)
	require.NoError(t, sysunix.Close(fd))
	_, err := adopt.FD(uintptr(fd), conn, net.FileConn)
	require.ErrorIs(t, err, syscall.EBADF)
	require.ErrorContains(t, err, "is not open")
	_, err = adopt.File(nil, conn, net.FileConn)
	require.EqualError(t, err, "tcp: nil file")
	f := os.NewFile(uintptr(socket(t, sysunix.AF_INET, sysunix.SOCK_STREAM)), "closed")
	require.NoError(t, f.Close())
	_, err = adopt.File(f, conn, net.FileConn)
	require.ErrorContains(t, err, "use of closed file")
}

func TestDescriptorIsTakenOverWhenAllIsWell(t *testing.T) {
	want := adopt.Want{Network: "tcp", State: adopt.Listening}
	fd := listening(t)
	ln, err := adopt.FD(uintptr(fd), want, net.FileListener)
	require.NoError(t, err)
	assert.False(t, isOpen(fd), "closed, in favor of the listener's")
	require.NoError(t, ln.Close())

	f := os.NewFile(uintptr(listening(t)), "socket")
	ln, err = adopt.File(f, want, net.FileListener)
	require.NoError(t, err)
	require.ErrorIs(t, f.Close(), os.ErrClosed)
	require.NoError(t, ln.Close())
}

func TestFailureToOpenLeavesTheDescriptorAlone(t *testing.T) {
	fd := listening(t)
	no := errors.New("no")
	_, err := adopt.FD(uintptr(fd), adopt.Want{Network: "tcp", State: adopt.Listening}, func(*os.File) (io.Closer, error) {
		return nil, no
	})
	require.ErrorIs(t, err, no)
	require.True(t, isOpen(fd))
	require.NoError(t, sysunix.Close(fd))
}
