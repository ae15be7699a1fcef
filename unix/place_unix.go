//go:build unix && !solaris && !illumos && !aix

package unix

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/stream"
)

// forbid takes all permissions from the socket itself.
func forbid(raw syscall.RawConn) (err error) {
	if rawErr := raw.Control(func(fd uintptr) { err = sysunix.Fchmod(int(fd), 0) }); rawErr != nil {
		return rawErr
	}
	return os.NewSyscallError("fchmod", err)
}

// lockPause is how long to wait before asking for a lock again, for which
// there is no way to wait with a context.
const lockPause = 5 * time.Millisecond

// lockDirectory keeps others who replace stale files in the directory of
// name out until unlock.
func lockDirectory(ctx context.Context, name string) (unlock func(), err error) {
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	fd := int(dir.Fd()) // a directory does not go through the poller
	for {
		err := sysunix.Flock(fd, sysunix.LOCK_EX|sysunix.LOCK_NB)
		if err == nil {
			return func() { _ = dir.Close() }, nil
		}
		if !errors.Is(err, sysunix.EWOULDBLOCK) && !errors.Is(err, sysunix.EINTR) {
			return nil, errors.Join(os.NewSyscallError("flock", err), dir.Close())
		}
		select {
		case <-time.After(lockPause):
		case <-ctx.Done():
			return nil, errors.Join(stream.ContextError(ctx), dir.Close())
		}
	}
}

// removeStale removes the file at path if it is a socket that nothing is
// bound to, and reports whether it did.
func removeStale(path string) bool {
	before, err := os.Lstat(path)
	if err != nil || before.Mode().Type() != fs.ModeSocket || !abandoned(path) {
		return false
	}
	now, err := os.Lstat(path)
	return err == nil && os.SameFile(before, now) && os.Remove(path) == nil
}

// abandoned asks with a connect of the packet kind. A bound socket of any
// kind has another answer than ECONNREFUSED, one that does not listen yet as
// well, and none sees that somebody asked.
func abandoned(path string) bool {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: path})
	if err == nil {
		_ = conn.Close()
	}
	return errors.Is(err, sysunix.ECONNREFUSED)
}
