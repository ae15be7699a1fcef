package process

import "os/exec"

// An ExitError reports that a process ended in another way than with exit
// status 0. It carries what Run would have returned, and unwraps to an
// *exec.ExitError, for code that expects that of os/exec.
type ExitError struct {
	Name string // Args[0] of the Cmd
	Result
}

// Error tells how the process ended. It leaves the output out, in which there
// may be anything.
func (e *ExitError) Error() string { return "process: " + e.Name + ": " + e.State.String() }

// Unwrap returns an *exec.ExitError.
func (e *ExitError) Unwrap() error {
	return &exec.ExitError{ProcessState: e.State, Stderr: e.Stderr}
}

// A HeldError reports that [Run] gave up on a pipe of a process that had
// ended, since another process held the other end for longer than Cmd.Linger:
// one that it started in the background. All that the process itself wrote is
// in the Result.
type HeldError struct {
	Name   string // Args[0] of the Cmd
	Stream string // "stdin", "stdout" or "stderr"
}

func (e *HeldError) Error() string {
	return "process: " + e.Name + ": ended, but another process holds its " + e.Stream
}
