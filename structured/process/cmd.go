package process

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// A Cmd says what to run and how. Only Args is needed. [Open] and [Run] copy
// it and do not change it.
type Cmd struct {
	// Args are the program and its arguments. A program without a slash is
	// looked for in the PATH of this process, but never found in the current
	// directory, as os/exec has it. No shell is involved: to use one, run
	// {"sh", "-c", script}.
	Args []string

	// Dir is the working directory. Empty means that of this process. A
	// program given by a relative path with a slash is relative to Dir.
	Dir string

	// Env is the environment, as {"NAME=value"}. Nil means that of this
	// process; an empty one that is not nil is empty.
	Env []string

	// Stdin, Stdout and Stderr are Pipe by default.
	Stdin, Stdout, Stderr Stdio

	// Input is what [Run] sends to Stdin, which must be Pipe then, before it
	// ends it. Nil is no input; the process meets the end at once. A process
	// that does not want all of it is no failure.
	Input []byte

	// ExtraFiles are what the process has as descriptors 3, 4 and so on.
	// They stay the caller's. Nil entries are closed descriptors.
	ExtraFiles []*os.File

	// NewSession makes the process the leader of a new session, and of a new
	// process group: it has no terminal.
	NewSession bool

	// Group makes the process the leader of a new process group that lives
	// no longer than it: signals go to all of the group, and when the process
	// has ended, for whatever reason, what is left of the group is killed.
	Group bool

	// Credential is who the process runs as. Nil means as this process.
	Credential *Credential

	// Sys is for what Cmd has no field for, such as Chroot or Pdeathsig on
	// Linux. It is an error to set there what Cmd has a field for: Setsid,
	// Setpgid, Pgid and Credential.
	Sys *syscall.SysProcAttr

	// Terminate is the signal that asks the process to end. Nil means
	// SIGTERM, and os.Kill on Windows. On Unix a SIGCONT follows, or a
	// process that is stopped would not hear of it.
	Terminate os.Signal

	// Grace is how long the process may take to end after that signal, until
	// it is killed. Zero means 5 s; negative means to kill at once, without
	// asking.
	Grace time.Duration

	// Linger is how long [Run] goes on with the pipes after the process has
	// ended, if others still hold their far ends. Zero means 1 s; negative
	// means not at all. Whatever it is, Run gets all that the process itself
	// wrote.
	Linger time.Duration

	// AllowFailure makes [Run] return no *[ExitError]: the caller looks at
	// Result.State.
	AllowFailure bool
}

// A Credential is a user, by numbers. It needs the privilege to become them.
type Credential struct {
	UID, GID uint32

	// Groups are the supplementary groups, and there are no others.
	Groups []uint32

	// KeepGroups keeps those of this process instead, for which no privilege
	// is needed.
	KeepGroups bool
}

const (
	defaultGrace  = 5 * time.Second
	defaultLinger = time.Second
)

// withDefaults returns a copy that nobody else changes.
func (c Cmd) withDefaults() Cmd {
	c.Args = slices.Clone(c.Args)
	if c.Terminate == nil {
		c.Terminate = defaultTerminate
	}
	if c.Grace == 0 {
		c.Grace = defaultGrace
	}
	if c.Linger == 0 {
		c.Linger = defaultLinger
	}
	return c
}

// check finds what cannot be meant.
func (c Cmd) check() error {
	switch {
	case len(c.Args) == 0 || c.Args[0] == "":
		return errors.New("process: no program: set Cmd.Args")
	case c.Stdin.kind == toStdout || c.Stdout.kind == toStdout:
		return errors.New("process: ToStdout is for Cmd.Stderr")
	case c.Input != nil && c.Stdin.kind != pipe:
		return errors.New("process: Cmd.Input needs Cmd.Stdin to be Pipe")
	case c.Credential != nil && c.Credential.KeepGroups && len(c.Credential.Groups) > 0:
		return errors.New("process: Credential has both Groups and KeepGroups")
	}
	return c.checkFiles()
}

// checkFiles finds files that were closed. Passed on, each would be a closed
// descriptor, and the program would be the one to complain.
func (c Cmd) checkFiles() error {
	for _, f := range append([]*os.File{c.Stdin.file, c.Stdout.file, c.Stderr.file}, c.ExtraFiles...) {
		if f == nil {
			continue
		}
		if _, err := f.Stat(); errors.Is(err, os.ErrClosed) {
			return fmt.Errorf("process: %w", err)
		}
	}
	return nil
}
