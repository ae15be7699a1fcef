//go:build unix

package process_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured/process"
)

// helperVar names, in the environment of this program, what it has to do
// instead of running tests.
const helperVar = "STRATA_PROCESS_HELPER"

// helpers are what changes the whole program.
var helpers = map[string]func(ctx context.Context) error{
	"reaped by the system": reapedByTheSystem,
	"tells of signals":     tellsOfSignals,
}

func TestMain(m *testing.M) {
	if name := os.Getenv(helperVar); name != "" {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := helpers[name](ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// helper runs a helper in a program of its own.
func helper(t *testing.T, name string) {
	t.Helper()
	t.Setenv(helperVar, name)
	t.Setenv("GORACE", "atexit_sleep_ms=0") // a second by default
	self, err := os.Executable()
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), self).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// forever is longer than any test takes: what waits for it to pass fails.
const forever = time.Hour

// sh is a Cmd that runs a script.
func sh(script string) process.Cmd { return process.Cmd{Args: []string{"sh", "-c", script}} }

// open opens cmd for the time of the test.
func open(t *testing.T, cmd process.Cmd) *process.Process {
	t.Helper()
	p, err := process.Open(t.Context(), cmd)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = p.Signal(os.Kill)
		assert.NoError(t, p.Close())
	})
	return p
}

// expect receives want.
func expect(t *testing.T, r stream.ByteReceiver, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got := make([]byte, 0, len(want))
	for len(got) < len(want) {
		n, err := r.Receive(ctx, got[len(got):cap(got)])
		require.NoError(t, err, "after %q", got)
		got = got[:len(got)+n]
	}
	require.Equal(t, want, string(got))
}

// rest receives up to the end.
func rest(t *testing.T, r stream.ByteReceiver) string {
	t.Helper()
	got, err := io.ReadAll(stream.NewReader(t.Context(), r))
	require.NoError(t, err)
	return string(got)
}

// wait waits for the end of p.
func wait(t *testing.T, p *process.Process) *os.ProcessState {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	state, err := p.Wait(ctx)
	require.NoError(t, err)
	return state
}

// until waits for a condition.
func until(t *testing.T, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.FailNow(t, "the condition does not come true")
		}
	}
}

// A leash is a pipe that a process of ours gets as its descriptor 3. A
// grandchild that reads it to its end lives until the leash is let go, and is
// dead once writing to it is a failure: nobody but it has the other end then.
type leash struct{ theirs, ours *os.File }

func newLeash(t *testing.T) *leash {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	l := &leash{r, w}
	t.Cleanup(func() { l.letGo(); _ = r.Close() })
	return l
}

// on gives the leash to cmd.
func (l *leash) on(cmd process.Cmd) process.Cmd {
	cmd.ExtraFiles = []*os.File{l.theirs}
	return cmd
}

func (l *leash) letGo() { _ = l.ours.Close() }

// held reports whether anybody but us still holds the other end.
func (l *leash) held() bool {
	_ = l.theirs.Close()
	_, err := l.ours.WriteString("\n")
	return err == nil
}

// census wants the test to leave no child, zombies included, and no
// descriptor behind.
func census(t *testing.T) {
	t.Helper()
	_, err := process.Run(t.Context(), sh("exit 0")) // what the runtime opens once is open now
	require.NoError(t, err)
	before := descriptors(t)
	t.Cleanup(func() {
		runtime.Gosched()
		assert.False(t, children(), "a child is left")
		assert.ElementsMatch(t, before, descriptors(t), "descriptors")
	})
}

// children reports whether this process has any.
func children() bool {
	_, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
	return err == nil
}

// descriptors names the open descriptors, where the system tells.
func descriptors(t *testing.T) []string {
	t.Helper()
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	require.NoError(t, err)
	var open []string
	for _, name := range names {
		if target, err := os.Readlink("/proc/self/fd/" + name); err == nil && !strings.HasSuffix(target, "/fd") {
			open = append(open, name)
		}
	}
	return open
}
