//go:build unix

package process_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/structured/process"
)

func TestRunReturnsTheOutput(t *testing.T) {
	census(t)
	cmd := sh("tr a-z A-Z; echo complaint >&2")
	cmd.Input = []byte("input")
	result, err := process.Run(t.Context(), cmd)
	require.NoError(t, err)
	assert.Equal(t, "INPUT", string(result.Stdout))
	assert.Equal(t, "complaint\n", string(result.Stderr))
	assert.True(t, result.State.Success())
}

func TestFailureIsAnExitErrorThatCarriesTheOutput(t *testing.T) {
	census(t)
	cmd := sh("echo out; echo err >&2; exit 5")
	result, err := process.Run(t.Context(), cmd)
	exit, ok := err.(*process.ExitError)
	require.True(t, ok, "%#v", err)
	assert.Equal(t, *result, exit.Result)
	assert.Equal(t, "sh", exit.Name)
	assert.Equal(t, 5, exit.State.ExitCode())
	assert.Equal(t, "out\n", string(exit.Stdout))
	assert.Equal(t, "err\n", string(exit.Stderr))
	theirs, ok := errors.AsType[*exec.ExitError](err)
	require.True(t, ok)
	assert.Equal(t, 5, theirs.ExitCode())
	assert.Equal(t, "err\n", string(theirs.Stderr))

	_, err = process.Run(t.Context(), sh("kill -KILL $$"))
	assert.EqualError(t, err, "process: sh: signal: killed")

	cmd.AllowFailure = true
	result, err = process.Run(t.Context(), cmd)
	require.NoError(t, err)
	assert.Equal(t, 5, result.State.ExitCode())
	assert.Equal(t, "out\n", string(result.Stdout))
}

func TestNoInputIsAnEmptyInput(t *testing.T) {
	census(t)
	r, w, err := os.Pipe() // which nobody ends: what inherits it hangs
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	before := os.Stdin
	defer func() { os.Stdin = before }()
	os.Stdin = r
	for _, input := range [][]byte{nil, {}} {
		result, err := process.Run(t.Context(), process.Cmd{Args: []string{"cat"}, Input: input})
		require.NoError(t, err)
		assert.Empty(t, result.Stdout)
	}
}

func TestInputThatIsNotWantedIsNoFailure(t *testing.T) {
	census(t)
	result, err := process.Run(t.Context(), process.Cmd{
		Args: []string{"head", "-c", "5"}, Input: bytes.Repeat([]byte("input"), 1<<20),
	})
	require.NoError(t, err)
	assert.Equal(t, "input", string(result.Stdout))
	_, err = process.Run(t.Context(), process.Cmd{Args: []string{"true"}, Input: make([]byte, 1<<20)})
	require.NoError(t, err)
}

func Test64MiBThroughAllThreePipesDoNotDeadlock(t *testing.T) {
	census(t)
	piece := make([]byte, 1<<20-1)
	for i := range piece {
		piece[i] = byte(i >> 10)
	}
	input := bytes.Repeat(piece, 64)
	cmd := sh("tee /dev/stderr")
	cmd.Input = input
	result, err := process.Run(t.Context(), cmd)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(input, result.Stdout), "%d bytes", len(result.Stdout))
	assert.True(t, bytes.Equal(input, result.Stderr), "%d bytes", len(result.Stderr))
}

func TestOutputsOneAfterTheOtherDoNotDeadlock(t *testing.T) {
	census(t)
	result, err := process.Run(t.Context(), sh("head -c 8388608 /dev/zero >&2; head -c 8388608 /dev/zero"))
	require.NoError(t, err)
	assert.Len(t, result.Stdout, 8<<20)
	assert.Len(t, result.Stderr, 8<<20)
}

func TestRunGivesUpOnAPipeThatAGrandchildHolds(t *testing.T) {
	tests := []struct {
		name   string
		script string
		stream string
	}{
		{"stdout", "echo hi; exec 2>&-; (read line <&3) & exit 0", "stdout"},
		{"stderr", "echo hi; exec >&-; (read line <&3) & exit 0", "stderr"},
		{"stdin", "echo hi; exec 4<&0 >&- 2>&-; (read line <&3) & exit 0", "stdin"},
	}
	for _, tt := range tests {
		for _, linger := range []time.Duration{-1, 10 * time.Millisecond, 0} {
			t.Run(tt.name+" "+linger.String(), func(t *testing.T) {
				census(t)
				cmd := newLeash(t).on(sh(tt.script))
				cmd.Linger = linger
				if tt.stream == "stdin" {
					cmd.Input = make([]byte, 1<<20)
				}
				result, err := process.Run(t.Context(), cmd)
				held, ok := err.(*process.HeldError)
				require.True(t, ok, "%v", err)
				assert.Equal(t, tt.stream, held.Stream)
				assert.EqualError(t, err, "process: sh: ended, but another process holds its "+tt.stream)
				assert.Equal(t, "hi\n", string(result.Stdout))
				assert.True(t, result.State.Success())
			})
		}
	}
}

func TestHeldAndFailedAreBothTold(t *testing.T) {
	census(t)
	cmd := newLeash(t).on(sh("exec 2>&-; cat <&3 & exit 9"))
	cmd.Linger = -1
	_, err := process.Run(t.Context(), cmd)
	_, held := errors.AsType[*process.HeldError](err)
	assert.True(t, held)
	exit, ok := errors.AsType[*process.ExitError](err)
	require.True(t, ok)
	assert.Equal(t, 9, exit.State.ExitCode())
}

func TestRunLosesNothingThatTheProcessWroteWithoutLinger(t *testing.T) {
	census(t)
	for range 50 {
		cmd := newLeash(t).on(sh("cat <&3 & head -c 300000 /dev/zero; head -c 65000 /dev/zero >&2"))
		cmd.Linger = -1
		result, err := process.Run(t.Context(), cmd)
		require.Error(t, err)
		require.Len(t, result.Stdout, 300000)
		require.Len(t, result.Stderr, 65000)
	}
}

func TestRunLingersForWhatComesLate(t *testing.T) {
	census(t)
	l := newLeash(t)
	cmd := l.on(sh("(cat <&3 >&2; echo late) & echo early"))
	cmd.Linger = forever
	late := time.AfterFunc(20*time.Millisecond, l.letGo)
	defer late.Stop()
	result, err := process.Run(t.Context(), cmd)
	require.NoError(t, err)
	assert.Equal(t, "early\nlate\n", string(result.Stdout))
}

func TestCancelEndsLinger(t *testing.T) {
	census(t)
	cmd := newLeash(t).on(sh("cat <&3 & echo early"))
	cmd.Linger = forever
	why := errors.New("why")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, why)
	defer cancel()
	result, err := process.Run(ctx, cmd)
	require.ErrorIs(t, err, why)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, "early\n", string(result.Stdout))
}

func TestGroupLetsRunReturnAtOnce(t *testing.T) {
	census(t)
	l := newLeash(t)
	cmd := l.on(sh("cat <&3 & echo hi"))
	cmd.Group, cmd.Linger = true, forever
	result, err := process.Run(t.Context(), cmd)
	require.NoError(t, err)
	assert.Equal(t, "hi\n", string(result.Stdout))
	until(t, func() bool { return !l.held() })
}

// cancelOn returns a context that is canceled when the process writes to the
// file that cmd gets as descriptor 3.
func cancelOn(t *testing.T, cmd *process.Cmd) context.Context {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	cmd.ExtraFiles = []*os.File{w}
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = r.Read(make([]byte, 1))
		cancel(errEnough)
	}()
	t.Cleanup(func() {
		_ = w.Close()
		<-done
		_ = r.Close()
	})
	return ctx
}

var errEnough = errors.New("enough")

func TestCanceledRunTerminatesTheProcess(t *testing.T) {
	tests := []struct {
		name, script string
		grace        time.Duration
		want         string
		output       string
	}{
		{"that goes", "echo begun; echo >&3; exec sleep 1000", forever, "signal: terminated", "begun\n"},
		{"that says goodbye", "trap 'kill $!; echo bye; exit 7' TERM; sleep 1000 & echo begun; echo >&3; wait", forever, "exit status 7", "begun\nbye\n"},
		{"that succeeds all the same", "trap 'kill $!; exit 0' TERM; sleep 1000 & echo begun; echo >&3; wait", forever, "exit status 0", "begun\n"},
		{"that does not listen", "trap '' TERM; echo begun; echo >&3; exec sleep 1000", 20 * time.Millisecond, "signal: killed", "begun\n"},
		{"that is stopped", "echo begun; echo >&3; kill -STOP $$", forever, "signal: terminated", "begun\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			census(t)
			cmd := sh(tt.script)
			cmd.Grace, cmd.Group = tt.grace, true
			ctx := cancelOn(t, &cmd)
			result, err := process.Run(ctx, cmd)
			require.ErrorIs(t, err, errEnough)
			require.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, tt.want, result.State.String())
			assert.Equal(t, tt.output, string(result.Stdout))
		})
	}
}

func TestCanceledRunDoesNotWaitForAGrandchild(t *testing.T) {
	census(t)
	cmd := newLeash(t).on(sh("cat <&3 & echo begun; echo >&4; exec sleep 1000"))
	leashed := cmd.ExtraFiles
	ctx := cancelOn(t, &cmd)
	cmd.ExtraFiles = append(leashed, cmd.ExtraFiles...)
	cmd.Linger = forever
	result, err := process.Run(ctx, cmd)
	require.ErrorIs(t, err, errEnough)
	assert.Equal(t, "begun\n", string(result.Stdout))
}

func TestRunCanceledAtAnyInstantLeavesNothing(t *testing.T) {
	census(t)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		timer := time.AfterFunc(time.Duration(random.IntN(3000))*time.Microsecond, cancel)
		cmd := sh("cat; exit " + strconv.Itoa(i%2))
		cmd.Input, cmd.Group = make([]byte, 100_000), i%3 == 0
		result, err := process.Run(ctx, cmd)
		switch {
		case err == nil || !errors.Is(err, context.Canceled):
			require.Len(t, result.Stdout, 100_000)
			require.Equal(t, i%2, result.State.ExitCode())
		case result != nil:
			require.NotNil(t, result.State)
		}
		timer.Stop()
		cancel()
	}
}
