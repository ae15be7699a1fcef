package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/structured/process"
)

// ids returns the numbers of a process, of its group and of its session.
func ids(t *testing.T, cmd process.Cmd) (pid, group, session int) {
	t.Helper()
	cmd.Args = []string{"cat", "/proc/self/stat"}
	fields := strings.Fields(output(t, cmd))
	numbers := make([]int, len(fields))
	for _, i := range []int{0, 4, 5} {
		var err error
		numbers[i], err = strconv.Atoi(fields[i])
		require.NoError(t, err)
	}
	return numbers[0], numbers[4], numbers[5]
}

func TestSessionsAndGroups(t *testing.T) {
	ourGroup := sysunix.Getpgrp()
	ourSession, err := sysunix.Getsid(0)
	require.NoError(t, err)

	_, group, session := ids(t, process.Cmd{})
	assert.Equal(t, ourGroup, group)
	assert.Equal(t, ourSession, session)

	pid, group, session := ids(t, process.Cmd{Group: true})
	assert.Equal(t, pid, group)
	assert.Equal(t, ourSession, session)

	for _, both := range []bool{false, true} {
		pid, group, session = ids(t, process.Cmd{NewSession: true, Group: both})
		assert.Equal(t, pid, group)
		assert.Equal(t, pid, session)
	}
}

// root skips the test where it is not run by root.
func root(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may do this")
	}
}

func TestCredential(t *testing.T) {
	root(t)
	id := func(c *process.Credential) string {
		return output(t, process.Cmd{Args: []string{"sh", "-c", "id -u; id -g; id -G"}, Credential: c})
	}
	assert.Equal(t, "1234\n5678\n5678", id(&process.Credential{UID: 1234, GID: 5678}))
	assert.Equal(t, "1234\n5678\n5678 17 18", id(&process.Credential{UID: 1234, GID: 5678, Groups: []uint32{17, 18}}))
	ours := output(t, process.Cmd{Args: []string{"id", "-G"}})
	kept := id(&process.Credential{UID: 0, GID: uint32(os.Getgid()), KeepGroups: true})
	assert.Equal(t, ours, strings.Split(kept, "\n")[2])
}

func TestProcessThatMayNotBeKilledIsAnError(t *testing.T) {
	root(t)
	helper(t, "nobody")
}

func init() { helpers["nobody"] = asNobody }

// asNobody gives its own privileges up while processes of root run.
func asNobody(ctx context.Context) error {
	p, err := process.Open(ctx, process.Cmd{Args: []string{"cat"}, Grace: -1})
	if err != nil {
		return err
	}
	leash, ours, err := os.Pipe()
	if err != nil {
		return err
	}
	begun, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	runCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ran := make(chan error, 1)
	go func() {
		cmd := sh("echo >&4; read line <&3")
		cmd.ExtraFiles, cmd.Group, cmd.Grace = []*os.File{leash, theirs}, true, -1
		result, err := process.Run(runCtx, cmd)
		if result != nil {
			err = fmt.Errorf("the result is %v", result)
		}
		ran <- err
	}()
	if _, err := begun.Read(make([]byte, 1)); err != nil {
		return err
	}
	if err := syscall.Setuid(65534); err != nil {
		return err
	}
	cancel(errEnough)
	if err := <-ran; !errors.Is(err, errEnough) || !errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("Run: %w", err)
	}
	if _, err := p.Terminate(ctx); !errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("Terminate: %w", err)
	}
	if err := p.Stdin().SendEOF(ctx); err != nil {
		return err
	}
	state, err := p.Wait(ctx)
	if err != nil || !state.Success() {
		return fmt.Errorf("Wait: %v, %w", state, err)
	}
	return errors.Join(p.Close(), ours.Close())
}

func TestSysIsPassedOn(t *testing.T) {
	root(t)
	ours, err := os.Readlink("/proc/self/ns/uts")
	require.NoError(t, err)
	sys := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS}
	for _, group := range []bool{false, true} {
		result, err := process.Run(t.Context(), process.Cmd{Args: []string{"readlink", "/proc/self/ns/uts"}, Sys: sys, Group: group})
		if errors.Is(err, syscall.EPERM) {
			t.Skip("no namespaces here")
		}
		require.NoError(t, err)
		assert.NotEqual(t, ours+"\n", string(result.Stdout))
	}
	assert.False(t, sys.Setpgid, "it is the caller's")
}

func TestStateTellsWhetherTheProcessIsStopped(t *testing.T) {
	census(t)
	p := open(t, process.Cmd{Args: []string{"cat"}})
	is := func(want process.Status) func() bool {
		return func() bool {
			got, err := process.State.Get(p.Stdin())
			require.NoError(t, err)
			return got == want
		}
	}
	for range 3 {
		require.NoError(t, p.Signal(syscall.SIGSTOP))
		until(t, is(process.Stopped))
		require.NoError(t, p.Signal(syscall.SIGCONT))
		until(t, is(process.Running))
	}
	require.NoError(t, p.Signal(os.Kill))
	until(t, is(process.Ended))
	assert.Equal(t, "signal: killed", wait(t, p).String())
}

func TestWaitingWithoutADescriptor(t *testing.T) {
	census(t)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	proc, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "read line; exit 3"}, &os.ProcAttr{Files: []*os.File{r}})
	require.NoError(t, err)
	limit(t, syscall.RLIMIT_NOFILE)(3)
	later := time.AfterFunc(20*time.Millisecond, func() { _ = w.Close() })
	defer later.Stop()
	require.NoError(t, process.AwaitExit(proc.Pid))
	require.NoError(t, process.AwaitExit(proc.Pid), "it is a zombie still")
	var status syscall.WaitStatus
	pid, err := syscall.Wait4(proc.Pid, &status, syscall.WNOHANG, nil)
	require.NoError(t, err)
	require.Equal(t, proc.Pid, pid)
	assert.Equal(t, 3, status.ExitStatus())
	assert.ErrorIs(t, process.AwaitExit(proc.Pid), syscall.ECHILD)
	assert.NoError(t, proc.Release())
}

// limit returns a function that sets a limit of this process, for the time of
// the test.
func limit(t *testing.T, resource int) (set func(soft uint64)) {
	t.Helper()
	var before syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(resource, &before))
	t.Cleanup(func() { assert.NoError(t, syscall.Setrlimit(resource, &before)) })
	return func(soft uint64) {
		require.NoError(t, syscall.Setrlimit(resource, &syscall.Rlimit{Cur: soft, Max: before.Max}))
	}
}

func TestLimitOfProcesses(t *testing.T) {
	root(t)
	census(t)
	// A user of our own has one process, and may have none.
	cmd := process.Cmd{Args: []string{"cat"}, Credential: &process.Credential{UID: 64321, GID: 64321}}
	open(t, cmd)
	limit(t, sysunix.RLIMIT_NPROC)(0) // which does not bind root
	for range 20 {
		_, err := process.Open(t.Context(), cmd)
		require.ErrorIs(t, err, syscall.EAGAIN)
		_, err = process.Run(t.Context(), cmd)
		require.ErrorIs(t, err, syscall.EAGAIN)
	}
	cmd.Credential = nil
	_, err := process.Run(t.Context(), cmd)
	require.NoError(t, err)
}

func TestForkThatFails(t *testing.T) {
	root(t)
	helper(t, "out of processes")
}

func init() { helpers["out of processes"] = outOfProcesses }

// outOfProcesses becomes a user who may have three more processes. As threads
// count, it has all that the runtime will want before.
func outOfProcesses(ctx context.Context) error {
	idleThreads(50)
	if err := syscall.Setuid(64322); err != nil {
		return err
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	most := uint64(len(threads) + 3)
	if err := syscall.Setrlimit(sysunix.RLIMIT_NPROC, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
		return err
	}
	before := countDescriptors()
	var processes []*process.Process
	for refused := 0; refused < 20; {
		p, err := process.Open(ctx, process.Cmd{Args: []string{"cat"}})
		switch {
		case err == nil && refused == 0:
			processes = append(processes, p)
		case errors.Is(err, syscall.EAGAIN):
			refused++
		default:
			return fmt.Errorf("Open: %w", err)
		}
	}
	if len(processes) == 0 {
		return errors.New("no process at all")
	}
	for _, p := range processes {
		if err := p.Close(); err != nil {
			return err
		}
	}
	if after := countDescriptors(); after != before {
		return fmt.Errorf("%d descriptors became %d", before, after)
	}
	_, err = process.Run(ctx, sh("exit 0"))
	return err
}

// idleThreads makes threads that are left to the runtime.
func idleThreads(n int) {
	var running, ended sync.WaitGroup
	running.Add(n)
	for range n {
		ended.Go(func() {
			runtime.LockOSThread()
			running.Done()
			running.Wait()
			runtime.UnlockOSThread()
		})
	}
	ended.Wait()
}

// countDescriptors is for who may not read /proc/self/fd.
func countDescriptors() int {
	open := 0
	for fd := range 500 {
		if _, err := sysunix.FcntlInt(uintptr(fd), sysunix.F_GETFD, 0); err == nil {
			open++
		}
	}
	return open
}

func TestLimitOfDescriptors(t *testing.T) {
	census(t)
	limit(t, syscall.RLIMIT_NOFILE)(uint64(len(descriptors(t)) + 40))
	var processes []*process.Process
	var err error
	for err == nil {
		var p *process.Process
		if p, err = process.Open(t.Context(), process.Cmd{Args: []string{"cat"}}); err == nil {
			processes = append(processes, p)
		}
	}
	assert.ErrorIs(t, err, syscall.EMFILE)
	assert.NotEmpty(t, processes)
	for range 20 {
		_, err = process.Open(t.Context(), process.Cmd{Args: []string{"cat"}})
		require.ErrorIs(t, err, syscall.EMFILE)
	}
	for _, p := range processes {
		require.NoError(t, p.Stdin().SendEOF(t.Context()))
		assert.True(t, wait(t, p).Success())
		require.NoError(t, p.Close())
	}
}

func TestNoMatterWhichDescriptorIsMissingNothingIsLeft(t *testing.T) {
	census(t)
	before := countDescriptors()
	set := limit(t, syscall.RLIMIT_NOFILE)
	for most := uint64(3); most < 500; most++ {
		set(most)
		p, err := process.Open(t.Context(), process.Cmd{Args: []string{"cat"}, Stderr: process.Discard})
		if err == nil {
			require.NoError(t, p.Close())
			return
		}
		require.ErrorIs(t, err, syscall.EMFILE)
		require.Equal(t, before, countDescriptors(), "with %d", most)
	}
	assert.Fail(t, "it never starts")
}

// TestSignalNeverHitsWhoGotTheNumber has the system give the number of a
// process that has ended to another one.
func TestSignalNeverHitsWhoGotTheNumber(t *testing.T) {
	root(t)
	census(t)
	const last = "/proc/sys/kernel/ns_last_pid"
	reused := 0
	for i := 0; i < 200 && reused < 4; i++ {
		p := open(t, process.Cmd{Args: []string{"true"}, Group: i%2 == 0})
		wait(t, p)
		pid, _ := process.PID.Lookup(p)
		if err := os.WriteFile(last, []byte(strconv.Itoa(pid-1)), 0); err != nil {
			t.Skip("the system does not let us choose:", err)
		}
		other := open(t, process.Cmd{Args: []string{"cat"}, Group: true})
		if got, _ := process.PID.Lookup(other); got == pid {
			reused++
			assert.ErrorIs(t, p.Signal(os.Kill), os.ErrProcessDone)
			_, err := p.Terminate(t.Context())
			require.NoError(t, err)
			require.NoError(t, p.Close())
			_, err = other.Stdin().Send(t.Context(), []byte("alive"))
			require.NoError(t, err)
			expect(t, other.Stdout(), "alive")
		}
		require.NoError(t, other.Close())
	}
	assert.Positive(t, reused, "no number was given again")
}
