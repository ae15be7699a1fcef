package unix_test

import (
	"context"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/internal/race"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/unix"
)

// descriptors counts those of the process.
func descriptors(tb testing.TB) int {
	tb.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(tb, err)
	return len(entries)
}

// files returns n open files, the i-th of which holds the number i.
func files(tb testing.TB, n int) []*os.File {
	tb.Helper()
	var fs []*os.File
	for i := range n {
		f, err := os.CreateTemp(tb.TempDir(), "")
		require.NoError(tb, err)
		tb.Cleanup(func() { f.Close() })
		_, err = f.WriteString(strconv.Itoa(i))
		require.NoError(tb, err)
		fs = append(fs, f)
	}
	return fs
}

func TestFilesArriveWithTheirBytes(t *testing.T) {
	a, b := connected(t)
	n, err := a.SendFiles(t.Context(), []byte("two"), files(t, 2)...)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	buf := make([]byte, 16)
	n, got, err := b.ReceiveFiles(t.Context(), buf, 2)
	require.NoError(t, err)
	assert.Equal(t, "two", string(buf[:n]))
	require.Len(t, got, 2)
	for i, f := range got {
		content := make([]byte, 8)
		n, err := f.ReadAt(content, 0)
		require.ErrorIs(t, err, io.EOF)
		assert.Equal(t, strconv.Itoa(i), string(content[:n]))
		flags, err := sysunix.FcntlInt(f.Fd(), sysunix.F_GETFD, 0)
		require.NoError(t, err)
		assert.NotZero(t, flags&sysunix.FD_CLOEXEC)
		require.NoError(t, f.Close())
	}
}

func TestBytesWithoutFilesArriveToo(t *testing.T) {
	a, b := connected(t)
	_, err := a.Send(t.Context(), []byte("plain"))
	require.NoError(t, err)
	buf := make([]byte, 16)
	n, got, err := b.ReceiveFiles(t.Context(), buf, 1)
	require.NoError(t, err)
	assert.Equal(t, "plain", string(buf[:n]))
	assert.Empty(t, got)
	require.NoError(t, a.SendEOF(t.Context()))
	_, _, err = b.ReceiveFiles(t.Context(), buf, 1)
	assert.Equal(t, io.EOF, err)
}

func TestFilesOfTwoSendsDoNotMix(t *testing.T) {
	a, b := connected(t)
	sent := files(t, 3)
	_, err := a.SendFiles(t.Context(), []byte("1"), sent[0])
	require.NoError(t, err)
	_, err = a.SendFiles(t.Context(), []byte("2"), sent[1:]...)
	require.NoError(t, err)
	for want := 1; want <= 2; want++ {
		buf := make([]byte, 16)
		n, got, err := b.ReceiveFiles(t.Context(), buf, 9)
		require.NoError(t, err)
		assert.Equal(t, strconv.Itoa(want), string(buf[:n]))
		require.Len(t, got, want)
		for _, f := range got {
			require.NoError(t, f.Close())
		}
	}
}

func TestMoreFilesThanAskedForAreClosedAndReported(t *testing.T) {
	for _, count := range []int{2, 5, 100, unix.MaxFiles} {
		a, b := connected(t)
		one := files(t, 1)[0]
		sent := make([]*os.File, count)
		for i := range sent {
			sent[i] = one
		}
		_, err := a.SendFiles(t.Context(), []byte("many"), sent...)
		require.NoError(t, err)
		before := descriptors(t)
		buf := make([]byte, 16)
		n, got, err := b.ReceiveFiles(t.Context(), buf, 1)
		require.ErrorIs(t, err, unix.ErrFilesTruncated)
		assert.Equal(t, "many", string(buf[:n]))
		assert.Empty(t, got)
		assert.Equal(t, before, descriptors(t))

		_, err = a.Send(t.Context(), []byte("on"))
		require.NoError(t, err)
		n, err = b.Receive(t.Context(), buf)
		require.NoError(t, err)
		assert.Equal(t, "on", string(buf[:n]))
	}
}

func TestFilesThatReceiveDoesNotWantAreClosed(t *testing.T) {
	a, b := connected(t)
	_, err := a.SendFiles(t.Context(), []byte("x"), files(t, 3)...)
	require.NoError(t, err)
	before := descriptors(t)
	_, err = b.Receive(t.Context(), make([]byte, 1))
	require.NoError(t, err)
	assert.Equal(t, before, descriptors(t))
}

func TestMostFilesArrive(t *testing.T) {
	a, b := connected(t)
	one := files(t, 1)[0]
	sent := make([]*os.File, unix.MaxFiles+1)
	for i := range sent {
		sent[i] = one
	}
	_, err := a.SendFiles(t.Context(), []byte("x"), sent...)
	require.ErrorContains(t, err, "more than 253 files")
	_, err = a.SendFiles(t.Context(), []byte("x"), sent[1:]...)
	require.NoError(t, err)
	_, got, err := b.ReceiveFiles(t.Context(), make([]byte, 1), 1000)
	require.NoError(t, err)
	assert.Len(t, got, unix.MaxFiles)
	for _, f := range got {
		require.NoError(t, f.Close())
	}
}

func TestFilesArriveOnceWithALongSend(t *testing.T) {
	a, b := connected(t)
	const size = 4 << 20
	done := make(chan error, 1)
	f := files(t, 1)[0]
	go func() {
		n, err := a.SendFiles(t.Context(), make([]byte, size), f)
		assert.Equal(t, size, n)
		done <- err
	}()
	total, count, buf := 0, 0, make([]byte, 64<<10)
	for total < size {
		n, got, err := b.ReceiveFiles(t.Context(), buf, 2)
		require.NoError(t, err)
		total += n
		count += len(got)
		for _, f := range got {
			require.NoError(t, f.Close())
		}
	}
	require.NoError(t, <-done)
	assert.Equal(t, 1, count)
	assert.Equal(t, size, total)
}

func TestCanceledSendFilesTellsWhetherTheyWent(t *testing.T) {
	a, b := connected(t)
	clog(t, a)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n, err := a.SendFiles(ctx, []byte("x"), files(t, 1)...)
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, n)
	require.NoError(t, a.SendEOF(t.Context()))
	buf := make([]byte, 64<<10)
	for {
		_, got, err := b.ReceiveFiles(t.Context(), buf, 1)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		require.Empty(t, got)
	}
}

// clog sends until nothing more goes.
func clog(t *testing.T, c *unix.Conn) {
	t.Helper()
	for {
		_, err := c.TrySend(make([]byte, 64<<10))
		if err == stream.ErrWouldBlock {
			return
		}
		require.NoError(t, err)
	}
}

func TestCanceledReceiveFilesHasTakenNothing(t *testing.T) {
	a, b := connected(t)
	sent := files(t, 1)
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		before := descriptors(t)
		_, got, err := b.ReceiveFiles(ctx, make([]byte, 1), 1)
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, got)
		require.Equal(t, before, descriptors(t))
		_, err = a.SendFiles(t.Context(), []byte("x"), sent...)
		require.NoError(t, err)
		_, got, err = b.ReceiveFiles(t.Context(), make([]byte, 1), 1)
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.NoError(t, got[0].Close())
	}
}

func TestFilesNeedArguments(t *testing.T) {
	a, _ := connected(t)
	f := files(t, 1)[0]
	_, err := a.SendFiles(t.Context(), nil, f)
	require.Error(t, err, "no bytes")
	_, err = a.SendFiles(t.Context(), []byte("x"))
	require.Error(t, err, "no files")
	_, err = a.SendFiles(t.Context(), []byte("x"), nil)
	require.Error(t, err, "a nil file")
	require.NoError(t, f.Close())
	_, err = a.SendFiles(t.Context(), []byte("x"), f)
	require.Error(t, err, "a closed file")
	_, _, err = a.ReceiveFiles(t.Context(), make([]byte, 1), 0)
	require.Error(t, err, "no room for files")
	_, _, err = a.ReceiveFiles(t.Context(), nil, 1)
	require.ErrorIs(t, err, stream.ErrEmptyBuffer)
}

func TestFilesAreReceivedOneCallAtATime(t *testing.T) {
	a, b := connected(t)
	turnedAway(t, func(ctx context.Context) error {
		_, _, err := b.ReceiveFiles(ctx, make([]byte, 1), 1)
		return err
	}, func(ctx context.Context) error {
		_, err := b.Receive(ctx, make([]byte, 1))
		return err
	}, b)
	require.NoError(t, a.Close())
	_, err := a.SendFiles(t.Context(), []byte("x"), files(t, 1)...)
	require.ErrorIs(t, err, net.ErrClosed)
}

func canceledSoon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	return ctx
}

func TestPassingAFileAllocatesNothingButTheFileAndItsSlice(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	cancelable, cancel := context.WithCancel(t.Context())
	defer cancel()
	f, message, buf := files(t, 1)[0], []byte("x"), make([]byte, 1)
	file := testing.AllocsPerRun(500, func() {
		fd, err := syscall.Dup(int(f.Fd()))
		if err != nil {
			t.Error(err)
		}
		os.NewFile(uintptr(fd), "duplicate").Close()
	})
	for name, ctx := range map[string]context.Context{"background": context.Background(), "cancelable": cancelable} {
		t.Run(name, func(t *testing.T) {
			a, b := connected(t)
			allocs := testing.AllocsPerRun(500, func() {
				if _, err := a.SendFiles(ctx, message, f); err != nil {
					t.Error(err)
				}
				_, got, err := b.ReceiveFiles(ctx, buf, 1)
				if err != nil {
					t.Error(err)
				}
				for _, f := range got {
					f.Close()
				}
			})
			assert.LessOrEqual(t, allocs, file+1)
		})
	}
}

func TestPeerIsKnown(t *testing.T) {
	a, b := connected(t)
	for _, c := range []*unix.Conn{a, b} {
		cred, err := unix.PeerCred.Get(c)
		require.NoError(t, err)
		assert.Equal(t, unix.Cred{PID: os.Getpid(), UID: os.Getuid(), GID: os.Getgid()}, cred)
		pidfd, err := c.PeerPidfd()
		require.NoError(t, err)
		info, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(int(pidfd.Fd())))
		require.NoError(t, err)
		assert.Contains(t, string(info), "Pid:\t"+strconv.Itoa(os.Getpid()))
		flags, err := sysunix.FcntlInt(pidfd.Fd(), sysunix.F_GETFD, 0)
		require.NoError(t, err)
		assert.NotZero(t, flags&sysunix.FD_CLOEXEC)
		require.NoError(t, pidfd.Close())
	}
	require.NoError(t, a.Close())
	_, err := a.PeerPidfd()
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = unix.PeerCred.Get(a)
	require.NoError(t, err, "it is fixed")
}

func TestPassedCredentialsAndPidfdsAreNoFiles(t *testing.T) {
	a, b := connected(t)
	raw, err := unix.RawConn.Get(b)
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		assert.NoError(t, syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_PASSCRED, 1))
		assert.NoError(t, syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, sysunix.SO_PASSPIDFD, 1))
	}))
	sent := files(t, 1)
	before := descriptors(t)
	_, err = a.SendFiles(t.Context(), []byte("x"), sent...)
	require.NoError(t, err)
	_, got, err := b.ReceiveFiles(t.Context(), make([]byte, 1), 1)
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.NoError(t, got[0].Close())
	assert.Equal(t, before, descriptors(t))
}
