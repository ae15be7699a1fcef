package unix_test

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/unix"
)

// abandon leaves a socket file of the kind behind that nothing is bound to.
func abandon(t *testing.T, name string, kind int) {
	t.Helper()
	require.NoError(t, syscall.Close(bound(t, name, kind)))
}

// bound returns a socket that is bound to name and does not listen.
func bound(t *testing.T, name string, kind int) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_UNIX, kind|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: name}))
	return fd
}

var replacing = &unix.ListenConfig{ReplaceStale: true}

func TestSocketHasItsModeAndOwner(t *testing.T) {
	for _, mode := range []fs.FileMode{0o600, 0o666, 0o777} { // more than the umask leaves, too
		name := place(t)
		owner := &unix.Owner{UID: os.Getuid(), GID: -1}
		if os.Getuid() == 0 {
			owner = &unix.Owner{UID: 1, GID: 2}
		}
		ln := listen(t, name, &unix.ListenConfig{Mode: mode, Owner: owner})
		info, err := os.Lstat(name)
		require.NoError(t, err)
		assert.Equal(t, fs.ModeSocket|mode, info.Mode())
		assert.Equal(t, uint32(owner.UID), info.Sys().(*syscall.Stat_t).Uid)
		if owner.GID >= 0 {
			assert.Equal(t, uint32(owner.GID), info.Sys().(*syscall.Stat_t).Gid)
		}
		require.NoError(t, ln.Close())
	}
}

func TestSocketIsMadeWithoutPermissions(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	mode, err := unix.ModeAfterBind(t.Context(), place(t), &unix.ListenConfig{Mode: 0o666})
	require.NoError(t, err)
	assert.Equal(t, fs.ModeSocket, mode)
	mode, err = unix.ModeAfterBind(t.Context(), place(t), &unix.ListenConfig{})
	require.NoError(t, err)
	assert.Equal(t, fs.ModeSocket|0o777, mode, "what it would have been")
}

func TestFailedOwnerLeavesNothingBehind(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may give files away")
	}
	name := place(t)
	_, err := unix.Listen(t.Context(), name, &unix.ListenConfig{Mode: 0o600, Owner: &unix.Owner{UID: 0, GID: 0}})
	require.ErrorIs(t, err, fs.ErrPermission)
	assert.NoFileExists(t, name)
}

func TestModeThatCannotBeIsAnError(t *testing.T) {
	_, err := unix.Listen(t.Context(), "@x", &unix.ListenConfig{Mode: 0o600})
	require.Error(t, err)
	_, err = unix.Listen(t.Context(), place(t), &unix.ListenConfig{Owner: &unix.Owner{}})
	require.ErrorIs(t, err, syscall.EINVAL, "an owner without a mode")
	_, err = unix.Listen(t.Context(), place(t), &unix.ListenConfig{Mode: fs.ModeSetuid | 0o600})
	require.ErrorIs(t, err, syscall.EINVAL)
}

func TestStaleSocketIsReplacedOnlyWhereAskedFor(t *testing.T) {
	for _, kind := range []int{syscall.SOCK_STREAM, syscall.SOCK_DGRAM, syscall.SOCK_SEQPACKET} {
		name := place(t)
		abandon(t, name, kind)
		_, err := unix.Listen(t.Context(), name, nil)
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		ln := listen(t, name, replacing)
		conn, err := unix.Dial(t.Context(), name, nil)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		require.NoError(t, ln.Close())

		abandon(t, name, kind)
		packets, err := unix.ListenPacket(t.Context(), name, replacing)
		require.NoError(t, err)
		require.NoError(t, packets.Close())
	}
}

func TestBoundSocketIsNeverReplaced(t *testing.T) {
	for _, kind := range []int{syscall.SOCK_STREAM, syscall.SOCK_DGRAM, syscall.SOCK_SEQPACKET} {
		name := place(t)
		fd := bound(t, name, kind) // and does not listen yet
		_, err := unix.Listen(t.Context(), name, replacing)
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		require.FileExists(t, name)
		if kind != syscall.SOCK_DGRAM {
			require.NoError(t, syscall.Listen(fd, 0))
		}
		_, err = unix.ListenPacket(t.Context(), name, replacing)
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		require.FileExists(t, name)
		require.NoError(t, syscall.Close(fd))
	}
}

func TestProbeIsNotAcceptedByTheServer(t *testing.T) {
	name := place(t)
	ln := listen(t, name, nil)
	_, err := unix.Listen(t.Context(), name, replacing)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	conn, err := unix.Dial(t.Context(), name, nil)
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Send(t.Context(), []byte("x"))
	require.NoError(t, err)
	first, err := ln.Accept(t.Context())
	require.NoError(t, err)
	defer first.Close()
	n, err := first.Receive(t.Context(), make([]byte, 1))
	require.NoError(t, err)
	assert.Equal(t, 1, n)
}

func TestOnlySocketsAreReplaced(t *testing.T) {
	dir := filepath.Dir(place(t))
	file, link, stale := dir+"/file", dir+"/link", dir+"/stale"
	require.NoError(t, os.WriteFile(file, []byte("precious"), 0o600))
	abandon(t, stale, syscall.SOCK_STREAM)
	require.NoError(t, os.Symlink(stale, link))
	for _, name := range []string{file, link, dir} {
		_, err := unix.Listen(t.Context(), name, replacing)
		require.ErrorIs(t, err, syscall.EADDRINUSE, name)
	}
	assert.FileExists(t, file)
	assert.FileExists(t, stale, "what a link points to")
}

func TestOneOfManyReplacesAStaleSocket(t *testing.T) {
	for range 20 {
		name := place(t)
		abandon(t, name, syscall.SOCK_STREAM)
		var mu sync.Mutex
		var won []*unix.Listener
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				ln, err := unix.Listen(t.Context(), name, replacing)
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					won = append(won, ln)
				} else {
					assert.ErrorIs(t, err, syscall.EADDRINUSE)
				}
			})
		}
		wg.Wait()
		require.Len(t, won, 1)
		require.FileExists(t, name)
		require.NoError(t, won[0].Close())
	}
}

func TestReplacingWaitsForTheLockAsLongAsItsContext(t *testing.T) {
	name := place(t)
	dir, err := os.Open(filepath.Dir(name))
	require.NoError(t, err)
	defer dir.Close()
	require.NoError(t, sysunix.Flock(int(dir.Fd()), sysunix.LOCK_EX))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = unix.Listen(ctx, name, replacing)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, sysunix.Flock(int(dir.Fd()), sysunix.LOCK_UN))
	listen(t, name, replacing)
}

func TestCloseRemovesOnlyItsOwnFile(t *testing.T) {
	name := place(t)
	ln := listen(t, name, nil)
	require.NoError(t, os.Remove(name))
	other := listen(t, name, nil)
	require.NoError(t, ln.Close())
	require.FileExists(t, name, "it is the other's")
	conn, err := unix.Dial(t.Context(), name, nil)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.NoError(t, other.Close())
	assert.NoFileExists(t, name)
}

func TestCloseFindsTheFileOfARelativePath(t *testing.T) {
	name := place(t)
	t.Chdir(filepath.Dir(name))
	ln := listen(t, "s", nil)
	t.Chdir("/")
	require.NoError(t, ln.Close())
	assert.NoFileExists(t, name)
}

func TestKeepFileKeepsIt(t *testing.T) {
	name := place(t)
	ln := listen(t, name, &unix.ListenConfig{KeepFile: true})
	require.NoError(t, ln.Close())
	assert.FileExists(t, name)
	_, err := unix.Dial(t.Context(), name, nil)
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestDialErrorsAreTheSystems(t *testing.T) {
	_, err := unix.Dial(t.Context(), place(t), nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = unix.Dial(t.Context(), "@nobody-listens-here", nil)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = unix.Dial(ctx, place(t), nil)
	require.ErrorIs(t, err, context.Canceled)
	var opErr *net.OpError
	_, err = unix.Dial(t.Context(), place(t), nil)
	require.ErrorAs(t, err, &opErr)
}

// enough is more than any backlog here but the system's.
const enough = 100

// room counts how many connections wait at name until one finds no room.
func room(t *testing.T, network, name string) int {
	t.Helper()
	for n := range enough {
		conn, err := net.Dial(network, name) // which does not wait
		if err != nil {
			require.ErrorIs(t, err, syscall.EAGAIN)
			return n
		}
		t.Cleanup(func() { conn.Close() })
	}
	return enough
}

func TestBacklogIsWhatWasAskedFor(t *testing.T) {
	const backlog = 3
	cfg := &unix.ListenConfig{Backlog: backlog}
	ln := listen(t, "", cfg)
	assert.Equal(t, backlog+1, room(t, "unix", nameOf(ln)), "Linux always has room for one more")
	inOrder, err := unix.ListenSeqpacket(t.Context(), "", cfg)
	require.NoError(t, err)
	defer inOrder.Close()
	assert.Equal(t, backlog+1, room(t, "unixpacket", nameOf(inOrder)))
	assert.Equal(t, enough, room(t, "unix", nameOf(listen(t, "", nil))))

	_, err = unix.ListenPacket(t.Context(), "", cfg)
	require.ErrorIs(t, err, syscall.EINVAL)
	_, err = unix.Dial(t.Context(), nameOf(ln), &unix.DialConfig{Local: *cfg})
	require.ErrorIs(t, err, syscall.EINVAL)
}

func TestStaleLocalNameIsReplacedWhereAskedFor(t *testing.T) {
	ln := listen(t, "", nil)
	cfg := &unix.DialConfig{LocalName: place(t)}
	abandon(t, cfg.LocalName, syscall.SOCK_STREAM)
	_, err := unix.Dial(t.Context(), nameOf(ln), cfg)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	require.FileExists(t, cfg.LocalName)
	cfg.Local = unix.ListenConfig{ReplaceStale: true, Mode: 0o600}
	c, err := unix.Dial(t.Context(), nameOf(ln), cfg)
	require.NoError(t, err)
	info, err := os.Lstat(cfg.LocalName)
	require.NoError(t, err)
	assert.Equal(t, fs.ModeSocket|0o600, info.Mode())
	require.NoError(t, c.Close())
	assert.NoFileExists(t, cfg.LocalName)
}

func TestWhatFailsToOpenLeavesNothing(t *testing.T) {
	name := place(t)
	full := listen(t, "", &unix.ListenConfig{Backlog: 1})
	room(t, "unix", nameOf(full))
	atPath := listen(t, name, nil)
	dials := map[string]func(context.Context, string, *unix.DialConfig) error{
		"Dial": func(ctx context.Context, n string, cfg *unix.DialConfig) error {
			_, err := unix.Dial(ctx, n, cfg)
			return err
		},
		"DialSeqpacket": func(ctx context.Context, n string, cfg *unix.DialConfig) error {
			_, err := unix.DialSeqpacket(ctx, n, cfg)
			return err
		},
		"DialPacket": func(ctx context.Context, n string, cfg *unix.DialConfig) error {
			_, err := unix.DialPacket(ctx, n, cfg)
			return err
		},
	}
	before := descriptors(t)
	for what, dial := range dials {
		for _, to := range []string{place(t), "@nobody-listens-here"} {
			cfg := &unix.DialConfig{LocalName: place(t)}
			require.Error(t, dial(t.Context(), to, cfg), what)
			assert.NoFileExists(t, cfg.LocalName, what)
		}
		require.ErrorIs(t, dial(t.Context(), nameOf(atPath), &unix.DialConfig{LocalName: name}), syscall.EADDRINUSE, what)
		require.FileExists(t, name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	cfg := &unix.DialConfig{LocalName: place(t)}
	_, err := unix.Dial(ctx, nameOf(full), cfg)
	require.ErrorIs(t, err, context.DeadlineExceeded, "it waits, as without a name")
	assert.NoFileExists(t, cfg.LocalName)
	_, err = unix.Listen(t.Context(), name, nil)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	_, err = unix.ListenSeqpacket(t.Context(), name, replacing)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	_, err = unix.ListenPacket(t.Context(), name, nil)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	assert.Equal(t, before, descriptors(t))
}

func TestDialWaitsWhileTheQueueIsFull(t *testing.T) {
	name := place(t)
	fd := bound(t, name, syscall.SOCK_STREAM)
	defer syscall.Close(fd)
	require.NoError(t, syscall.Listen(fd, 0))
	first, err := unix.Dial(t.Context(), name, nil)
	require.NoError(t, err)
	defer first.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = unix.Dial(ctx, name, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded, "not EAGAIN")

	dialed := make(chan error, 1)
	go func() {
		conn, err := unix.Dial(t.Context(), name, nil)
		if err == nil {
			err = conn.Close()
		}
		dialed <- err
	}()
	accepted, _, err := syscall.Accept(fd)
	require.NoError(t, err)
	defer syscall.Close(accepted)
	require.NoError(t, <-dialed)
}
