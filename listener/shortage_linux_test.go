package listener_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
)

// starvingVar makes this program a server that can be made to run out of
// descriptors, which a test must not do to the program that it runs in.
const starvingVar = "STRATA_LISTENER_STARVING"

// starve serves echoes and obeys its standard input, a command a line, each
// answered by a line: "limit" leaves it without descriptors; "raise" ends
// that, and tells how often the shortage was logged and what processor time
// has passed since "limit".
func starve() error {
	var log lockedBuffer
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return err
	}
	addr, _ := tcp.LocalAddr.Lookup(ln)
	fmt.Println(addr)
	done := make(chan error, 1)
	go func() {
		done <- listener.Serve(ctx, ln, func(ctx context.Context, c *tcp.Conn) error {
			_, err := stream.Copy(ctx, c, c)
			return err
		}, &listener.Config[*tcp.Conn]{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	}()
	var limit syscall.Rlimit
	var since time.Duration
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		switch commands.Text() {
		case "limit":
			since = processorTime()
			if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
				return err
			}
			err = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: lowestFree(), Max: limit.Max})
			fmt.Println("limited", err)
		case "raise":
			used := processorTime() - since
			err = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
			fmt.Println(strings.Count(log.String(), "accept failed, retrying"), used.Milliseconds(), err)
		}
	}
	stop()
	return <-done
}

// lowestFree is the number that the next descriptor would get.
func lowestFree() uint64 {
	fd, err := syscall.Open("/dev/null", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		panic(err)
	}
	defer syscall.Close(fd)
	return uint64(fd)
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func TestServerWithoutDescriptorsWaitsAndGoesOn(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), starvingVar+"=1")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = t.Output()
	require.NoError(t, cmd.Start())
	answers := bufio.NewScanner(stdout)
	answer := func() string {
		require.True(t, answers.Scan())
		return answers.Text()
	}
	addr := answer()
	fmt.Fprintln(stdin, "limit")
	require.Equal(t, "limited <nil>", answer())
	waiting, err := net.Dial("tcp", addr)
	require.NoError(t, err, "the kernel completes the connection")
	defer waiting.Close()
	starved := time.Second
	require.NoError(t, waiting.SetDeadline(time.Now().Add(starved)))
	_, err = waiting.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "and nobody serves it")

	fmt.Fprintln(stdin, "raise")
	var logged int
	var used int64
	_, err = fmt.Sscan(answer(), &logged, &used)
	require.NoError(t, err)
	assert.Equal(t, 1, logged, "times that the shortage was logged")
	assert.Less(t, time.Duration(used)*time.Millisecond, starved/20, "processor time")

	require.NoError(t, waiting.SetDeadline(time.Now().Add(30*time.Second)))
	assertEchoed(t, waiting)
	require.NoError(t, waiting.Close())
	assertServed(t, addr)
	require.NoError(t, stdin.Close())
	require.NoError(t, cmd.Wait())
}

func assertServed(t *testing.T, addr string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	assertEchoed(t, conn)
}

func assertEchoed(t *testing.T, conn net.Conn) {
	t.Helper()
	_, err := io.WriteString(conn, "ping")
	require.NoError(t, err)
	p := make([]byte, 4)
	_, err = io.ReadFull(conn, p)
	require.NoError(t, err)
	assert.Equal(t, "ping", string(p))
}

// A lockedBuffer may be written and read at the same time.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
