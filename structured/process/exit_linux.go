package process

import (
	"errors"
	"fmt"
	"os"

	sysunix "golang.org/x/sys/unix"
)

// reap waits until the process has ended, kills what is left of its group
// while it is a zombie, so that the number of the group is nobody else's, and
// makes an end of it.
func (p *Process) reap() {
	err := awaitExit(p.proc.Pid)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd.group && err == nil {
		_ = signalGroup(p.proc.Pid, os.Kill) // nobody may be left
	}
	if p.state, err = p.proc.Wait(); err != nil {
		p.err = fmt.Errorf("process: %s: %w", p.name, err)
	}
	p.reaped = true
}

// awaitExit waits until our child has ended, and leaves it a zombie. An error
// means that there is no such child: somebody else has reaped it.
func awaitExit(pid int) error {
	if awaitPolling(pid) == nil {
		return nil
	}
	return awaitBlocking(pid)
}

// awaitPolling waits as one does for a socket. Before Linux 5.10, and where
// there is no room for a descriptor, it cannot.
func awaitPolling(pid int) error {
	fd, err := sysunix.PidfdOpen(pid, sysunix.PIDFD_NONBLOCK)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var code int32
	var waitErr error
	err = raw.Read(func(uintptr) bool {
		code, waitErr = peek(pid, sysunix.WEXITED|sysunix.WNOHANG)
		return code != 0 || waitErr != nil
	})
	return errors.Join(err, waitErr)
}

// awaitBlocking waits in a system call.
func awaitBlocking(pid int) error {
	_, err := peek(pid, sysunix.WEXITED)
	return err
}

// statusOf returns what a child does that was not reaped.
func statusOf(pid int) Status {
	code, err := peek(pid, sysunix.WEXITED|sysunix.WSTOPPED|sysunix.WNOHANG)
	switch {
	case code == cldStopped:
		return Stopped
	case code != 0 || err != nil:
		return Ended
	}
	return Running
}

// cldStopped is CLD_STOPPED of siginfo_t.
const cldStopped = 5

// peek returns the si_code of a change in a child, which stays to be waited
// for, or 0 if there was none.
func peek(pid, options int) (code int32, err error) {
	var info sysunix.Siginfo
	for {
		err := sysunix.Waitid(sysunix.P_PID, pid, &info, options|sysunix.WNOWAIT, nil)
		if err == nil {
			return info.Code, nil
		}
		if !errors.Is(err, sysunix.EINTR) {
			return 0, err
		}
	}
}
