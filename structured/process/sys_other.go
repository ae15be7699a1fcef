//go:build !unix

package process

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

var (
	defaultTerminate = os.Kill
	afterTerminate   []os.Signal
)

var errNotDirectory = errors.New("not a directory")

// sys returns what of c goes into a SysProcAttr.
func (c *Cmd) sys() (*syscall.SysProcAttr, error) {
	if c.NewSession || c.Group || c.Credential != nil {
		return nil, fmt.Errorf("process: NewSession, Group and Credential: %w", errors.ErrUnsupported)
	}
	return c.Sys, nil
}

// signalGroup is not called where sys accepts no groups.
func signalGroup(int, os.Signal) error { return errors.ErrUnsupported }

// readable cannot be told.
func readable(*os.File) bool { return false }
