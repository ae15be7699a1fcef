//go:build unix

package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured/process"
)

func TestWaitTellsHowTheProcessEnded(t *testing.T) {
	census(t)
	p := open(t, sh("exit 3"))
	assert.Equal(t, 3, wait(t, p).ExitCode())

	p = open(t, sh("kill -USR1 $$"))
	status := wait(t, p).Sys().(syscall.WaitStatus)
	assert.Equal(t, syscall.SIGUSR1, status.Signal())
}

func TestWaitMayBeRepeatedByMany(t *testing.T) {
	census(t)
	p := open(t, process.Cmd{Args: []string{"cat"}})
	var states [20]*os.ProcessState
	var all sync.WaitGroup
	for i := range states {
		all.Go(func() { states[i], _ = p.Wait(t.Context()) })
	}
	require.NoError(t, p.Stdin().SendEOF(t.Context()))
	all.Wait()
	require.NoError(t, p.Close())
	for _, state := range states {
		assert.Same(t, wait(t, p), state)
		assert.True(t, state.Success())
	}
}

func TestCanceledWaitLeavesTheProcessAlone(t *testing.T) {
	census(t)
	p := open(t, process.Cmd{Args: []string{"cat"}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := p.Wait(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = p.Stdin().Send(t.Context(), []byte("alive"))
	require.NoError(t, err)
	expect(t, p.Stdout(), "alive")

	require.NoError(t, p.Close())
	_, err = p.Wait(ctx)
	assert.ErrorIs(t, err, context.DeadlineExceeded, "a context that is done comes first")
}

func TestOutputIsStillThereAfterTheEnd(t *testing.T) {
	census(t)
	p := open(t, sh("head -c 50000 /dev/zero; echo last words >&2"))
	wait(t, p)
	assert.Len(t, rest(t, p.Stdout()), 50000)
	assert.Equal(t, "last words\n", rest(t, p.Stderr()))
	assert.Equal(t, "", rest(t, p.Stderr()), "the end stays")
}

func TestStreamsAfterTheEndAndAfterClose(t *testing.T) {
	census(t)
	p := open(t, sh("exit 0"))
	wait(t, p)
	buf := make([]byte, 1)
	_, err := p.Stdin().Send(t.Context(), buf)
	require.ErrorIs(t, err, stream.ErrBroken)
	require.ErrorIs(t, err, syscall.EPIPE)
	for _, r := range []*process.Receiver{p.Stdout(), p.Stderr()} {
		_, err = r.Receive(t.Context(), buf)
		require.Equal(t, io.EOF, err)
	}

	require.NoError(t, p.Close())
	_, err = p.Stdin().Send(t.Context(), buf)
	assert.ErrorIs(t, err, net.ErrClosed)
	assert.ErrorIs(t, p.Stdin().SendEOF(t.Context()), net.ErrClosed)
	for _, r := range []*process.Receiver{p.Stdout(), p.Stderr()} {
		_, err = r.Receive(t.Context(), buf)
		assert.ErrorIs(t, err, net.ErrClosed)
	}
}

func TestWaitDoesNotWaitForAGrandchild(t *testing.T) {
	census(t)
	l := newLeash(t)
	p := open(t, l.on(sh("(cat <&3; echo late) & echo early")))
	wait(t, p)
	expect(t, p.Stdout(), "early\n")
	l.letGo()
	assert.Equal(t, "late\n", rest(t, p.Stdout()))
}

func TestSendMeetsAProcessThatClosedItsInput(t *testing.T) {
	census(t)
	p := open(t, sh("exec <&-; echo closed; exec sleep 1000"))
	expect(t, p.Stdout(), "closed\n")
	_, err := p.Stdin().Send(t.Context(), []byte("x"))
	assert.ErrorIs(t, err, syscall.EPIPE)
}

func TestSignals(t *testing.T) {
	census(t)
	p := open(t, sh(`trap 'echo usr1' USR1; trap 'kill $!; echo usr2; exit 4' USR2; sleep 1000 & echo ready; while :; do wait; done`))
	expect(t, p.Stdout(), "ready\n")
	require.NoError(t, p.Signal(syscall.SIGUSR1))
	expect(t, p.Stdout(), "usr1\n")
	require.NoError(t, p.Signal(syscall.SIGUSR2))
	expect(t, p.Stdout(), "usr2\n")
	assert.Equal(t, 4, wait(t, p).ExitCode())
	assert.ErrorIs(t, p.Signal(syscall.SIGUSR1), os.ErrProcessDone)
	require.NoError(t, p.Close())
	assert.ErrorIs(t, p.Signal(os.Kill), os.ErrProcessDone)
}

type noSignal struct{}

func (noSignal) Signal()        {}
func (noSignal) String() string { return "none" }

func TestSignalThatIsNone(t *testing.T) {
	for _, group := range []bool{false, true} {
		p := open(t, process.Cmd{Args: []string{"cat"}, Group: group})
		assert.ErrorContains(t, p.Signal(noSignal{}), "unsupported signal type")
		assert.ErrorIs(t, p.Signal(syscall.Signal(1000)), syscall.EINVAL)
	}
}

// termIgnored reads its input to the end, whatever SIGTERM says.
const termIgnored = "trap '' TERM; echo ready; exec cat"

func TestTerminate(t *testing.T) {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	slow := `trap 'kill $!; echo bye; exit 7' TERM INT; sleep 1000 & echo ready; wait`
	tests := []struct {
		name      string
		script    string
		terminate os.Signal
		grace     time.Duration
		ctx       context.Context
		want      string
		output    string
	}{
		{"asks", "echo ready; exec cat", nil, forever, nil, "signal: terminated", ""},
		{"lets it say goodbye", slow, nil, forever, nil, "exit status 7", "bye\n"},
		{"asks with a signal of one's choice", slow, syscall.SIGINT, forever, nil, "exit status 7", "bye\n"},
		{"kills who does not listen", termIgnored, nil, 20 * time.Millisecond, nil, "signal: killed", ""},
		{"kills at once", slow, nil, -1, nil, "signal: killed", ""},
		{"kills at once by choice", slow, os.Kill, forever, nil, "signal: killed", ""},
		{"kills at once if the context is done", slow, nil, forever, done, "signal: killed", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			census(t)
			cmd := sh(tt.script)
			cmd.Terminate, cmd.Grace, cmd.Group = tt.terminate, tt.grace, true
			p := open(t, cmd)
			expect(t, p.Stdout(), "ready\n")
			ctx := tt.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			state, err := p.Terminate(ctx)
			require.NoError(t, err)
			assert.Equal(t, tt.want, state.String())
			assert.Equal(t, tt.output, rest(t, p.Stdout()), "the streams are open still")

			again, err := p.Terminate(ctx)
			require.NoError(t, err)
			assert.Same(t, state, again)
		})
	}
}

func TestTerminateStopsWaitingWhenItsContextIsDone(t *testing.T) {
	census(t)
	cmd := sh(termIgnored)
	cmd.Grace = forever
	p := open(t, cmd)
	expect(t, p.Stdout(), "ready\n")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	state, err := p.Terminate(ctx)
	require.NoError(t, err)
	assert.Equal(t, "signal: killed", state.String())
}

func TestProcessIsAskedOnce(t *testing.T) {
	census(t)
	self, err := os.Executable()
	require.NoError(t, err)
	p := open(t, process.Cmd{
		Args:  []string{self},
		Env:   []string{helperVar + "=tells of signals", "GORACE=atexit_sleep_ms=0"},
		Grace: forever,
	})
	expect(t, p.Stdout(), "ready\n")
	var all sync.WaitGroup
	ask := func() { all.Go(func() { _, _ = p.Terminate(t.Context()) }) }
	ask()
	expect(t, p.Stdout(), "asked\n")
	for range 8 {
		ask()
		require.NoError(t, p.Signal(syscall.SIGUSR1))
		expect(t, p.Stdout(), "usr1\n")
	}
	require.NoError(t, p.Stdin().SendEOF(t.Context()))
	all.Wait()
	assert.Equal(t, "over\n", rest(t, p.Stdout()))
}

func tellsOfSignals(context.Context) error {
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGUSR1)
	fmt.Println("ready")
	go func() { // ends with the input
		_, _ = io.Copy(io.Discard, os.Stdin)
		signal.Stop(signals) // which has passed on what came before
		close(signals)
	}()
	for s := range signals {
		fmt.Println(map[os.Signal]string{syscall.SIGTERM: "asked", syscall.SIGUSR1: "usr1"}[s])
	}
	fmt.Println("over")
	return nil
}

func TestStoppedProcessIsTerminated(t *testing.T) {
	for _, tt := range []struct {
		name  string
		grace time.Duration
		want  string
	}{{"asked", forever, "signal: terminated"}, {"killed", -1, "signal: killed"}} {
		t.Run(tt.name, func(t *testing.T) {
			census(t)
			p := open(t, process.Cmd{Args: []string{"cat"}, Grace: tt.grace})
			require.NoError(t, p.Signal(syscall.SIGSTOP))
			state, err := p.Terminate(t.Context())
			require.NoError(t, err)
			assert.Equal(t, tt.want, state.String())
		})
	}
}

func TestGroupEndsWithItsLeader(t *testing.T) {
	tests := []struct {
		name   string
		script string
		end    func(t *testing.T, p *process.Process)
	}{
		{"which ends by itself", "cat <&3 & echo ready; read line", func(t *testing.T, p *process.Process) {
			require.NoError(t, p.Stdin().SendEOF(t.Context()))
			wait(t, p)
		}},
		{"which is terminated", "cat <&3 & echo ready; cat", func(t *testing.T, p *process.Process) {
			_, err := p.Terminate(t.Context())
			require.NoError(t, err)
		}},
		{"which listens, as others do not", `(trap '' TERM; echo ready; exec cat <&3) & wait`, func(t *testing.T, p *process.Process) {
			_, err := p.Terminate(t.Context())
			require.NoError(t, err)
		}},
		{"which is closed", "cat <&3 & echo ready; cat", func(t *testing.T, p *process.Process) {
			require.NoError(t, p.Close())
		}},
		{"which is signaled", "cat <&3 & echo ready; cat", func(t *testing.T, p *process.Process) {
			require.NoError(t, p.Signal(os.Kill))
			wait(t, p)
		}},
	}
	for _, tt := range tests {
		for _, session := range []bool{false, true} {
			name := tt.name
			if session {
				name += ", in a session of its own"
			}
			t.Run(name, func(t *testing.T) {
				census(t)
				l := newLeash(t)
				cmd := l.on(sh(tt.script))
				cmd.Group, cmd.NewSession, cmd.Grace = true, session, forever
				p := open(t, cmd)
				expect(t, p.Stdout(), "ready\n")
				tt.end(t, p)
				until(t, func() bool { return !l.held() })
			})
		}
	}
}

func TestOthersSurviveWithoutAGroup(t *testing.T) {
	census(t)
	l := newLeash(t)
	p := open(t, l.on(sh("(cat <&3; echo survived) & echo ready; exec cat")))
	expect(t, p.Stdout(), "ready\n")
	_, err := p.Terminate(t.Context())
	require.NoError(t, err)
	require.True(t, l.held())
	l.letGo()
	assert.Equal(t, "\nsurvived\n", rest(t, p.Stdout()))
}

func TestCloseEndsAProcessThatWaitsForRoom(t *testing.T) {
	census(t)
	cmd := sh("trap '' TERM; echo ready; yes; echo >&2 done")
	cmd.Grace = forever // it ends for want of a reader, or never
	p := open(t, cmd)
	expect(t, p.Stdout(), "ready\n")
	require.NoError(t, p.Close())
	assert.NotNil(t, wait(t, p))
}

func TestCloseWithUnreadOutputIsNoError(t *testing.T) {
	census(t)
	p := open(t, sh("echo unread; echo unread >&2; exit 1"))
	wait(t, p)
	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
}

func TestCloseWakesWhoWaits(t *testing.T) {
	census(t)
	p := open(t, process.Cmd{Args: []string{"sleep", "1000"}})
	received := make(chan error)
	for _, r := range []*process.Receiver{p.Stdout(), p.Stderr()} {
		go func() {
			_, err := r.Receive(t.Context(), make([]byte, 1))
			received <- err
		}()
	}
	go func() {
		_, err := p.Stdin().Send(t.Context(), make([]byte, 1<<20))
		received <- err
	}()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { assert.NoError(t, p.Close()) })
	}
	for range 3 {
		assert.ErrorIs(t, <-received, net.ErrClosed)
	}
	all.Wait()
}

func TestTwoHundredAtOnce(t *testing.T) {
	census(t)
	const many = 200
	var processes [many]*process.Process
	for i := range processes {
		processes[i] = open(t, process.Cmd{Args: []string{"cat"}, Group: i%2 == 0})
	}
	var all sync.WaitGroup
	for i, p := range processes {
		all.Go(func() {
			if i%3 == 0 {
				assert.NoError(t, p.Close())
				return
			}
			if _, err := p.Stdin().Send(t.Context(), []byte("hello")); !assert.NoError(t, err) {
				return
			}
			assert.NoError(t, p.Stdin().SendEOF(t.Context()))
			state, err := p.Wait(t.Context())
			assert.NoError(t, err)
			assert.True(t, state.Success())
			got, err := io.ReadAll(stream.NewReader(t.Context(), p.Stdout()))
			assert.NoError(t, err)
			assert.Equal(t, "hello", string(got))
		})
	}
	all.Wait()
}

func TestSignalsWhileTheProcessEnds(t *testing.T) {
	census(t)
	for i := range 100 {
		p := open(t, process.Cmd{Args: []string{"true"}, Group: i%2 == 0})
		var err error
		for err == nil {
			err = p.Signal(syscall.SIGCONT)
		}
		require.ErrorIs(t, err, os.ErrProcessDone)
		require.True(t, wait(t, p).Success())
	}
}

func TestProcessThatSomebodyElseReapedIsAnError(t *testing.T) {
	helper(t, "reaped by the system")
}

func reapedByTheSystem(ctx context.Context) error {
	signal.Ignore(syscall.SIGCHLD) // which has the system reap
	p, err := process.Open(ctx, process.Cmd{Args: []string{"cat"}, Group: true})
	if err != nil {
		return err
	}
	if err := p.Stdin().SendEOF(ctx); err != nil {
		return err
	}
	_, waitErr := p.Wait(ctx)
	_, runErr := process.Run(ctx, sh("exit 0"))
	for call, err := range map[string]error{"Wait": waitErr, "Close": p.Close(), "Run": runErr} {
		if !errors.Is(err, syscall.ECHILD) {
			return fmt.Errorf("%s: %w", call, err)
		}
	}
	if err := p.Signal(os.Kill); !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("Signal: %w", err)
	}
	return nil
}

func TestAttributes(t *testing.T) {
	census(t)
	p := open(t, process.Cmd{Args: []string{"cat"}})
	both := stream.Staple(p.Stdout(), p.Stdin())
	for _, provider := range []attr.Provider{p, p.Stdin(), p.Stdout(), p.Stderr(), both} {
		pid, err := process.PID.Get(provider)
		require.NoError(t, err)
		assert.NoError(t, syscall.Kill(pid, 0))
		state, err := process.State.Get(provider)
		require.NoError(t, err)
		assert.Equal(t, process.Running, state)
	}
	require.NoError(t, p.Signal(os.Kill))
	wait(t, p)
	state, err := process.State.Get(both)
	require.NoError(t, err)
	assert.Equal(t, process.Ended, state)

	require.NoError(t, p.Close())
	_, err = process.State.Get(both)
	assert.ErrorIs(t, err, net.ErrClosed)
	_, err = process.PID.Get(both)
	assert.NoError(t, err)
}

func TestStatusHasWords(t *testing.T) {
	words := map[process.Status]string{
		process.Running: "running", process.Stopped: "stopped", process.Ended: "ended", 7: "Status(7)",
	}
	for status, word := range words {
		assert.Equal(t, word, status.String())
	}
}

func TestErrorsNameTheProgram(t *testing.T) {
	_, err := process.Run(t.Context(), sh("exit 3"))
	require.EqualError(t, err, "process: sh: exit status 3")
	p := open(t, sh("exit 0"))
	wait(t, p)
	err = p.Signal(os.Kill)
	assert.EqualError(t, err, "process: sh: signal: os: process already finished")
	assert.True(t, errors.Is(err, os.ErrProcessDone))
}
