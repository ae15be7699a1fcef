//go:build unix

package process

import (
	"errors"
	"os"
	"syscall"

	sysunix "golang.org/x/sys/unix"
)

var (
	defaultTerminate os.Signal = syscall.SIGTERM
	afterTerminate             = []os.Signal{syscall.SIGCONT}
)

const errNotDirectory = syscall.ENOTDIR

// sys returns what of c goes into a SysProcAttr.
func (c *Cmd) sys() (*syscall.SysProcAttr, error) {
	if c.Sys == nil && !c.NewSession && !c.Group && c.Credential == nil {
		return nil, nil
	}
	var sys syscall.SysProcAttr
	if c.Sys != nil {
		sys = *c.Sys
	}
	if sys.Setsid || sys.Setpgid || sys.Pgid != 0 || sys.Credential != nil {
		return nil, errors.New("process: Cmd.Sys sets what Cmd has a field for: use NewSession, Group and Credential")
	}
	sys.Setsid = c.NewSession
	sys.Setpgid = c.Group && !c.NewSession // a session's leader leads a group already
	if u := c.Credential; u != nil {
		sys.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups, NoSetGroups: u.KeepGroups}
	}
	return &sys, nil
}

// signalGroup sends sig to the group that pid leads.
func signalGroup(pid int, sig os.Signal) error {
	s, ok := sig.(syscall.Signal)
	if !ok {
		return errors.New("unsupported signal type")
	}
	err := syscall.Kill(-pid, s)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return os.NewSyscallError("kill", err)
}

// readable reports whether a read would find something now.
func readable(f *os.File) bool {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	ready := false
	err = raw.Control(func(fd uintptr) {
		fds := [1]sysunix.PollFd{{Fd: int32(fd), Events: sysunix.POLLIN}}
		n, pollErr := sysunix.Poll(fds[:], 0)
		ready = pollErr == nil && n > 0
	})
	return err == nil && ready
}
