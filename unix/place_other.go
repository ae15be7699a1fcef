//go:build !unix || solaris || illumos || aix

package unix

import (
	"context"
	"errors"
	"fmt"
	"syscall"
)

func forbid(syscall.RawConn) error { return errors.ErrUnsupported }

func lockDirectory(context.Context, string) (unlock func(), err error) {
	return nil, fmt.Errorf("replacing a stale socket file: %w", errors.ErrUnsupported)
}

func removeStale(string) bool { return false }
