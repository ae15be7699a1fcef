//go:build unix

package activation_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/listener/activation"
	"github.com/strata-go/strata/tcp"
)

func closeOnExec(fd int) bool {
	flags, err := sysunix.FcntlInt(uintptr(fd), sysunix.F_GETFD, 0)
	return err == nil && flags&sysunix.FD_CLOEXEC != 0
}

// program is this one in another role. Its input ends with the test, and so
// does it.
func program(t *testing.T, as string) *exec.Cmd {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), role+"="+as)
	cmd.Stderr = os.Stderr
	return cmd
}

// withInput gives cmd an input that ends when the function is called.
func withInput(t *testing.T, cmd *exec.Cmd) (end func()) {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	cmd.Stdin = r
	t.Cleanup(func() { r.Close(); w.Close() })
	return func() { w.Close() }
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestNoConnectionIsLostWhenASuccessorTakesOver(t *testing.T) {
	ctx := soon(t)
	old := startOld(ctx, t)
	c := load(ctx, t, old)
	c.waitFor(t, "old", 50)
	cmd := program(t, "serve")
	endSuccessor := withInput(t, cmd)
	successor, err := activation.HandOver(ctx, cmd, old.handed...)
	require.NoError(t, err)
	old.end(t) // while both accept
	c.waitFor(t, "new", 50)
	t.Log("served:", c.end())
	endSuccessor()
	require.NoError(t, successor.Wait(ctx))
	assert.FileExists(t, old.path, "which the old process did not remove")
}

func TestSuccessorsThatDieBeforeTheyAreReadyCostNoConnection(t *testing.T) {
	ctx := soon(t)
	old := startOld(ctx, t)
	c := load(ctx, t, old)
	c.waitFor(t, "old", 10)
	c.end()
	before := descriptors(t)
	c = load(ctx, t, old)
	for range 2 {
		_, err := activation.HandOver(ctx, program(t, "end"), old.handed...)
		require.ErrorContains(t, err, "process ended")
		_, err = activation.HandOver(ctx, program(t, "die"), old.handed...)
		require.ErrorContains(t, err, "killed", "with the listeners in its hands")
		c.waitFor(t, "old", 10)
	}
	served := c.end()
	assert.Equal(t, map[string]int{"old": served["old"]}, served)
	assert.Equal(t, before, descriptors(t))
	old.end(t)
	assert.NoFileExists(t, old.path, "it was this process's still")
}

// descriptors counts those of the process.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	require.NoError(t, err)
	return len(entries)
}

func TestSuccessorThatFailsChangesNothing(t *testing.T) {
	ctx := soon(t)
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	require.NoError(t, err)
	defer ln.Close()
	offer := activation.Handed{Name: "a", Listener: ln}

	_, err = activation.HandOver(ctx, program(t, "end"), offer)
	require.ErrorContains(t, err, "process ended")
	cmd := program(t, "end")
	cmd.Path = "/nonexistent"
	_, err = activation.HandOver(ctx, cmd, offer)
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 127, exit.ExitCode())

	hanging := program(t, "hang")
	withInput(t, hanging)
	runs, err := hanging.StdoutPipe()
	require.NoError(t, err)
	enough := errors.New("enough")
	short, cancel := context.WithCancelCause(ctx)
	go func() { // ends with the process at the latest
		_, _ = runs.Read(make([]byte, 1))
		cancel(enough)
	}()
	_, err = activation.HandOver(short, hanging, offer)
	require.ErrorIs(t, err, enough)
	assert.NotNil(t, hanging.ProcessState, "still runs")

	addr, _ := tcp.LocalAddr.Lookup(ln)
	c, err := tcp.Dial(ctx, addr.String(), nil)
	require.NoError(t, err)
	defer c.Close()
	s, err := ln.Accept(ctx)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	assert.True(t, nonBlocking(t, ln), "a canceled Accept would hang")
}

func nonBlocking(t *testing.T, ln attr.Provider) bool {
	t.Helper()
	raw, err := tcp.RawConn.Get(ln)
	require.NoError(t, err)
	var flags int
	require.NoError(t, raw.Control(func(fd uintptr) { flags, err = sysunix.FcntlInt(fd, sysunix.F_GETFL, 0) }))
	require.NoError(t, err)
	return flags&sysunix.O_NONBLOCK != 0
}

func TestWhatCannotBeHandedOverIsRefused(t *testing.T) {
	ctx := soon(t)
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	require.NoError(t, err)
	defer ln.Close()
	closed, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	_, err = activation.HandOver(ctx, nil)
	require.EqualError(t, err, "activation: HandOver: nil cmd")
	cmd := program(t, "end")
	cmd.ExtraFiles = []*os.File{os.Stdin}
	_, err = activation.HandOver(ctx, cmd)
	require.EqualError(t, err, "activation: HandOver: cmd has ExtraFiles")
	_, err = activation.HandOver(ctx, exec.Command("no-such-program-anywhere"))
	require.ErrorIs(t, err, exec.ErrNotFound)
	for _, name := range []string{"a:b", "a\nb"} {
		_, err = activation.HandOver(ctx, program(t, "end"), activation.Handed{Name: name, Listener: ln})
		require.ErrorContains(t, err, "name "+strconv.Quote(name))
	}
	_, err = activation.HandOver(ctx, program(t, "end"), activation.Handed{})
	require.ErrorIs(t, err, attr.ErrNotFound)
	_, err = activation.HandOver(ctx, program(t, "end"), activation.Handed{Listener: closed})
	require.ErrorIs(t, err, net.ErrClosed)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = activation.HandOver(canceled, program(t, "end"))
	assert.ErrorIs(t, err, context.Canceled)
}

// A raw is a descriptor as a provider of attributes, to hand over anything.
func raw(t *testing.T, fd int) attr.Provider {
	t.Helper()
	f := os.NewFile(uintptr(fd), "raw")
	t.Cleanup(func() { f.Close() })
	conn, err := f.SyscallConn()
	require.NoError(t, err)
	return attr.Define(attr.Value(tcp.RawConn, func(struct{}) syscall.RawConn { return conn })).For(struct{}{})
}

func TestKindsAreToldByTheSocketsThemselves(t *testing.T) {
	var handed []activation.Handed
	for _, s := range []struct {
		name         string
		family, kind int
	}{
		{"tcp4", sysunix.AF_INET, sysunix.SOCK_STREAM},
		{"tcp6", sysunix.AF_INET6, sysunix.SOCK_STREAM},
		{"udp", sysunix.AF_INET, sysunix.SOCK_DGRAM},
		{"stream", sysunix.AF_UNIX, sysunix.SOCK_STREAM},
		{"packets", sysunix.AF_UNIX, sysunix.SOCK_DGRAM},
		{"", sysunix.AF_UNIX, sysunix.SOCK_SEQPACKET},
	} {
		fd, err := sysunix.Socket(s.family, s.kind, 0)
		require.NoError(t, err)
		handed = append(handed, activation.Handed{Name: s.name, Listener: raw(t, fd)})
	}
	fifo := make([]int, 2)
	require.NoError(t, sysunix.Pipe(fifo))
	for _, end := range fifo {
		handed = append(handed, activation.Handed{Name: "fifo", Listener: raw(t, end)})
	}
	cmd := program(t, "describe")
	var out bytes.Buffer
	cmd.Stdout = &out
	successor, err := activation.HandOver(soon(t), cmd, handed...)
	require.NoError(t, err)
	require.NoError(t, successor.Wait(soon(t)))
	assert.Equal(t, `"tcp4" tcp
"tcp6" tcp
"udp" udp
"stream" unix
"packets" unixgram
"" unixpacket
"fifo" 
"fifo" 
0 <nil>
LISTEN_PID false
LISTEN_FDS false
LISTEN_FDNAMES false
true true
`, out.String())
}

// startedWith has this process look as if it had been started with what is in
// the variables.
func startedWith(t *testing.T, pid, fds, names string) {
	t.Helper()
	t.Setenv("LISTEN_PID", pid)
	t.Setenv("LISTEN_FDS", fds)
	t.Setenv("LISTEN_FDNAMES", names)
}

func TestSocketsOfAnotherProcessAreLeftAlone(t *testing.T) {
	for _, pid := range []string{"", "1", "x", strconv.Itoa(os.Getpid()) + " "} {
		startedWith(t, pid, "1", "")
		sockets, err := activation.Sockets()
		require.NoError(t, err)
		assert.Empty(t, sockets)
		_, set := os.LookupEnv("LISTEN_FDS")
		assert.False(t, set)
	}
}

func TestVariablesThatMakeNoSenseAreAnError(t *testing.T) {
	for _, fds := range []string{"x", "-1", "65536", "60000"} { // of which the last are not open
		startedWith(t, strconv.Itoa(os.Getpid()), fds, "")
		_, err := activation.Sockets()
		assert.ErrorContains(t, err, "activation: ", fds)
	}
	startedWith(t, strconv.Itoa(os.Getpid()), "0", "a:b")
	_, err := activation.Sockets()
	assert.EqualError(t, err, "activation: 2 names for 0 descriptors")
}

func TestReadyWithoutAnybodyToTellIsNoError(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	require.NoError(t, activation.Ready(t.Context()))
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "gone"))
	require.ErrorIs(t, activation.Ready(t.Context()), os.ErrNotExist)
}

func TestListenerOfWhatDoesNotListenIsAnError(t *testing.T) {
	for _, tt := range []struct {
		name   string
		kind   int
		reason string
	}{
		{"stream", sysunix.SOCK_STREAM, "is an unbound TCP socket, want a listening TCP socket"},
		{"packets", sysunix.SOCK_DGRAM, `no stream socket: network "udp"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fd, err := sysunix.Socket(sysunix.AF_INET, tt.kind, 0)
			require.NoError(t, err)
			s := activation.NewSocket(fd)
			_, err = s.Listener()
			require.ErrorContains(t, err, tt.reason)
			f := s.File()
			require.NotNil(t, f, "the descriptor is still there")
			require.NoError(t, f.Close())
			_, err = s.Listener()
			require.ErrorIs(t, err, net.ErrClosed)
			assert.NoError(t, errors.Join(s.Close(), s.Close()))
		})
	}
}
