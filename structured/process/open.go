package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/strata-go/strata/stream"
)

// Open starts a process. It returns once the program runs, or with the error
// of what could not be done: exec.ErrNotFound or fs.ErrNotExist for a program
// that is not there, fs.ErrPermission for one that may not be run, a
// *fs.PathError with the Op "chdir" for the directory, os.ErrClosed for a file
// of Cmd that was closed, syscall.E2BIG for arguments and an environment that
// are too large, syscall.EMFILE or syscall.EAGAIN where the system has no room.
// Nothing is left of a process
// that did not start.
//
// ctx covers the start alone. Once Open has returned nil it has no effect on
// the process.
func Open(ctx context.Context, cmd Cmd) (*Process, error) {
	if err := stream.ContextError(ctx); err != nil {
		return nil, err
	}
	if cmd.Input != nil {
		return nil, errors.New("process: Open: Cmd.Input is for Run: send it to Stdin")
	}
	return open(cmd.withDefaults())
}

func open(cmd Cmd) (*Process, error) {
	if err := cmd.check(); err != nil {
		return nil, err
	}
	sys, err := cmd.sys()
	if err != nil {
		return nil, err
	}
	c := exec.Command(cmd.Args[0], cmd.Args[1:]...)
	c.Dir, c.Env, c.ExtraFiles, c.SysProcAttr = cmd.Dir, cmd.Env, cmd.ExtraFiles, sys
	var l plumbing
	defer l.closeTheirs()
	if err := l.lay(c, &cmd); err != nil {
		l.closeOurs()
		return nil, fmt.Errorf("process: %w", err)
	}
	if err := c.Start(); err != nil {
		l.closeOurs()
		return nil, fmt.Errorf("process: %w", startError(cmd.Dir, err))
	}
	return newProcess(&cmd, c, &l), nil
}

// startError tells a directory that is not there from a program that is not:
// the system does not.
func startError(dir string, err error) error {
	if dir == "" {
		return err
	}
	info, statErr := os.Stat(dir)
	if statErr == nil && !info.IsDir() {
		statErr = &os.PathError{Op: "chdir", Path: dir, Err: errNotDirectory}
	}
	if path, ok := errors.AsType[*os.PathError](statErr); ok {
		path.Op = "chdir"
		return path
	}
	return err
}

// A plumbing is the standard streams of a process, before it starts.
type plumbing struct {
	ours   [3]*os.File // our ends of the pipes
	theirs [3]*os.File // the other ends, of which the process gets copies
}

// lay makes the pipes and gives c what it needs. Where a stream of c stays
// nil, exec opens the null device.
func (l *plumbing) lay(c *exec.Cmd, cmd *Cmd) error {
	in, err := l.end(0, cmd.Stdin, os.Stdin)
	if err != nil {
		return err
	}
	out, err := l.end(1, cmd.Stdout, os.Stdout)
	if err != nil {
		return err
	}
	errs, err := l.end(2, cmd.Stderr, os.Stderr)
	if err != nil {
		return err
	}
	if cmd.Stderr.kind == toStdout {
		errs = out
	}
	if in != nil {
		c.Stdin = in
	}
	if out != nil {
		c.Stdout = out
	}
	if errs != nil {
		c.Stderr = errs
	}
	return nil
}

// end returns what the process gets for its descriptor i.
func (l *plumbing) end(i int, s Stdio, own *os.File) (*os.File, error) {
	switch s.kind {
	case inherit:
		return own, nil
	case toFile:
		return s.file, nil
	case pipe:
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		l.ours[i], l.theirs[i] = r, w
		if i == 0 {
			l.ours[i], l.theirs[i] = w, r
		}
		return l.theirs[i], nil
	}
	return nil, nil
}

func (l *plumbing) closeOurs()   { closeAll(l.ours) }
func (l *plumbing) closeTheirs() { closeAll(l.theirs) }

func closeAll(files [3]*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}
