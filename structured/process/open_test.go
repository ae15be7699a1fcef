//go:build unix

package process_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/structured/process"
)

func TestWhatCannotStartLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	require.NoError(t, os.WriteFile(plain, []byte("no program"), 0o644))
	missing := filepath.Join(dir, "missing")
	self := &syscall.SysProcAttr{}
	closed, err := os.Open(plain)
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	closedFile := process.File(closed)

	tests := []struct {
		name string
		cmd  process.Cmd
		is   error
		text string
	}{
		{"no program", process.Cmd{}, nil, "set Cmd.Args"},
		{"an empty name", process.Cmd{Args: []string{""}}, nil, "set Cmd.Args"},
		{"a name that PATH does not have", process.Cmd{Args: []string{"no-such-program"}}, exec.ErrNotFound, `"no-such-program"`},
		{"a path that is not there", process.Cmd{Args: []string{missing}}, fs.ErrNotExist, missing},
		{"a file that is no program", process.Cmd{Args: []string{plain}}, fs.ErrPermission, plain},
		{"a directory that is not there", process.Cmd{Args: []string{"true"}, Dir: missing}, fs.ErrNotExist, "chdir " + missing},
		{
			"a directory that is not there, with Sys", process.Cmd{Args: []string{"true"}, Dir: missing, Sys: self},
			fs.ErrNotExist, "chdir " + missing,
		},
		{"a directory that is a file", process.Cmd{Args: []string{"true"}, Dir: plain, Sys: self}, syscall.ENOTDIR, "chdir " + plain},
		{"a program that is not there, in a directory that is", process.Cmd{Args: []string{missing}, Dir: dir, Sys: self}, fs.ErrNotExist, "fork/exec " + missing},
		{"NUL in an argument", process.Cmd{Args: []string{"true", "a\x00b"}}, syscall.EINVAL, ""},
		{"arguments that are too long", process.Cmd{Args: []string{"true", strings.Repeat("x", 4<<20)}}, syscall.E2BIG, ""},
		{"an environment that is too large", process.Cmd{Args: []string{"true"}, Env: []string{"A=" + strings.Repeat("x", 4<<20)}}, syscall.E2BIG, ""},
		{"NUL in the environment", process.Cmd{Args: []string{"true"}, Env: []string{"A=a\x00b"}}, nil, "NUL"},
		{"a closed file as stdin", process.Cmd{Args: []string{"true"}, Stdin: closedFile}, os.ErrClosed, plain},
		{"a closed file as stdout", process.Cmd{Args: []string{"true"}, Stdout: closedFile}, os.ErrClosed, plain},
		{"a closed file as stderr", process.Cmd{Args: []string{"true"}, Stderr: closedFile}, os.ErrClosed, plain},
		{"a closed extra file", process.Cmd{Args: []string{"true"}, ExtraFiles: []*os.File{nil, closed}}, os.ErrClosed, plain},
		{"stdin to stdout", process.Cmd{Args: []string{"true"}, Stdin: process.ToStdout}, nil, "ToStdout is for Cmd.Stderr"},
		{"stdout to stdout", process.Cmd{Args: []string{"true"}, Stdout: process.ToStdout}, nil, "ToStdout is for Cmd.Stderr"},
		{
			"two sorts of groups",
			process.Cmd{Args: []string{"true"}, Credential: &process.Credential{Groups: []uint32{1}, KeepGroups: true}}, nil, "KeepGroups",
		},
		{"Setsid in Sys", process.Cmd{Args: []string{"true"}, Sys: &syscall.SysProcAttr{Setsid: true}}, nil, "NewSession"},
		{"Setpgid in Sys", process.Cmd{Args: []string{"true"}, Sys: &syscall.SysProcAttr{Setpgid: true}}, nil, "Group"},
		{"Pgid in Sys", process.Cmd{Args: []string{"true"}, Sys: &syscall.SysProcAttr{Pgid: 1}}, nil, "Group"},
		{
			"Credential in Sys",
			process.Cmd{Args: []string{"true"}, Sys: &syscall.SysProcAttr{Credential: &syscall.Credential{}}}, nil, "Credential",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			census(t)
			for _, start := range []func() error{
				func() error { _, err := process.Open(t.Context(), tt.cmd); return err },
				func() error { _, err := process.Run(t.Context(), tt.cmd); return err },
			} {
				err := start()
				require.Error(t, err)
				assert.ErrorContains(t, err, "process: ")
				assert.ErrorContains(t, err, tt.text)
				if tt.is != nil {
					assert.ErrorIs(t, err, tt.is)
				}
			}
		})
	}
}

func TestMissingDirectoryIsAChdirError(t *testing.T) {
	_, err := process.Open(t.Context(), process.Cmd{Args: []string{"true"}, Dir: "/nowhere/at/all"})
	path, ok := errors.AsType[*fs.PathError](err)
	require.True(t, ok, "%#v", err)
	assert.Equal(t, "chdir", path.Op)
	assert.Equal(t, "/nowhere/at/all", path.Path)
}

func TestInputIsRefusedWhereNobodyWouldSendIt(t *testing.T) {
	cmd := sh("cat")
	cmd.Input = []byte{}
	_, err := process.Open(t.Context(), cmd)
	assert.ErrorContains(t, err, "Cmd.Input is for Run")

	for _, stdin := range []process.Stdio{process.Inherit, process.Discard, process.File(os.Stdin)} {
		cmd.Stdin = stdin
		_, err = process.Run(t.Context(), cmd)
		assert.ErrorContains(t, err, "Cmd.Input needs Cmd.Stdin to be Pipe")
	}
}

func TestDoneContextStartsNothing(t *testing.T) {
	census(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	file := filepath.Join(t.TempDir(), "made")
	cmd := process.Cmd{Args: []string{"touch", file}}
	_, err := process.Open(ctx, cmd)
	assert.ErrorIs(t, err, why)
	assert.ErrorIs(t, err, context.Canceled)
	_, err = process.Run(ctx, cmd)
	assert.ErrorIs(t, err, why)
	assert.NoFileExists(t, file)
}

func TestContextOfOpenDoesNotReachTheProcess(t *testing.T) {
	census(t)
	ctx, cancel := context.WithCancel(t.Context())
	p, err := process.Open(ctx, process.Cmd{Args: []string{"cat"}})
	require.NoError(t, err)
	defer p.Close()
	cancel()
	_, err = p.Stdin().Send(t.Context(), []byte("still here"))
	require.NoError(t, err)
	expect(t, p.Stdout(), "still here")
}

// output runs cmd and returns what it wrote, without the last line's end.
func output(t *testing.T, cmd process.Cmd) string {
	t.Helper()
	result, err := process.Run(t.Context(), cmd)
	require.NoError(t, err)
	return strings.TrimSuffix(string(result.Stdout), "\n")
}

func TestDir(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	assert.Equal(t, dir, output(t, process.Cmd{Args: []string{"pwd"}, Dir: dir}))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "here"), []byte("#!/bin/sh\necho I am here\n"), 0o755))
	assert.Equal(t, "I am here", output(t, process.Cmd{Args: []string{"./here"}, Dir: dir}))
}

func TestEnv(t *testing.T) {
	t.Setenv("STRATA_PROCESS_TEST", "inherited")
	show := process.Cmd{Args: []string{"/usr/bin/env"}}
	assert.Contains(t, output(t, show), "STRATA_PROCESS_TEST=inherited")

	show.Env = []string{"ONLY=this"}
	assert.Equal(t, "ONLY=this", output(t, show))

	show.Env = []string{}
	assert.Empty(t, output(t, show))
}

func TestExtraFiles(t *testing.T) {
	census(t)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	cmd := sh("echo three >&4; test -e /dev/fd/3 || echo and 3 is closed >&4")
	cmd.ExtraFiles = []*os.File{nil, w}
	_, err = process.Run(t.Context(), cmd)
	require.NoError(t, err)
	buf := make([]byte, 64)
	n, err := r.Read(buf)
	require.NoError(t, err)
	assert.Equal(t, "three\nand 3 is closed\n", string(buf[:n]))
}

func TestArgumentsAreNoShell(t *testing.T) {
	assert.Equal(t, "$HOME `id` a  b", output(t, process.Cmd{Args: []string{"echo", "$HOME", "`id`", "a  b"}}))
}

func TestCmdIsCopied(t *testing.T) {
	cmd := process.Cmd{Args: []string{"false"}}
	_, err := process.Run(t.Context(), cmd)
	cmd.Args[0] = "changed"
	exit, ok := errors.AsType[*process.ExitError](err)
	require.True(t, ok)
	assert.Equal(t, "false", exit.Name)
	assert.Nil(t, cmd.Terminate)
	assert.Zero(t, cmd.Grace)
}
