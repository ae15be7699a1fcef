package unix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
)

// A place is where a bound socket has its file. A nil place has none.
type place struct {
	path string // absolute
	file fs.FileInfo
	once sync.Once
}

// A control is what net.ListenConfig and net.Dialer call before they bind.
type control func(network, address string, raw syscall.RawConn) error

// claim binds a socket to name, by open, and returns it with its place. If
// anything fails, both are gone.
func claim[S io.Closer](ctx context.Context, name string, cfg ListenConfig, open func(control) (S, error)) (s S, p *place, err error) {
	if err := stream.ContextError(ctx); err != nil {
		return s, nil, err
	}
	if err := cfg.check(name); err != nil {
		return s, nil, err
	}
	if cfg.ReplaceStale && isPath(name) {
		unlock, err := lockDirectory(ctx, name)
		if err != nil {
			return s, nil, err
		}
		defer unlock()
	}
	s, err = open(cfg.control())
	if errors.Is(err, syscall.EADDRINUSE) && cfg.ReplaceStale && removeStale(name) {
		s, err = open(cfg.control())
	}
	if err != nil {
		return s, nil, err
	}
	p, err = cfg.settle(name)
	if err != nil {
		return s, nil, errors.Join(err, s.Close())
	}
	return s, p, nil
}

func (cfg *ListenConfig) check(name string) error {
	if cfg.Mode == 0 && cfg.Owner == nil {
		return nil
	}
	if runtime.GOOS != "linux" {
		return fmt.Errorf("mode or owner of a socket file: %w", errors.ErrUnsupported)
	}
	if !isPath(name) {
		return fmt.Errorf("mode or owner of the abstract name %q: %w", name, errors.ErrUnsupported)
	}
	if cfg.Mode == 0 || cfg.Mode&^fs.ModePerm != 0 {
		return fmt.Errorf("mode %v of a socket file: %w", cfg.Mode, syscall.EINVAL)
	}
	return nil
}

// control takes all permissions from a socket that is to get others. Linux
// gives the file that bind makes those of the descriptor, less the umask.
func (cfg *ListenConfig) control() control {
	if cfg.Mode == 0 {
		return nil
	}
	return func(_, _ string, raw syscall.RawConn) error { return forbid(raw) }
}

// settle finds the file that bind has made and gives it its owner and mode.
func (cfg *ListenConfig) settle(name string) (*place, error) {
	p, err := findPlace(name)
	if p == nil {
		return nil, err
	}
	if err := cfg.permit(p.path); err != nil {
		p.leave()
		return nil, err
	}
	if cfg.KeepFile {
		return nil, nil //nolint:nilnil // a nil place has no file to remove
	}
	return p, nil
}

// findPlace returns the place of a socket that was bound to name.
func findPlace(name string) (*place, error) {
	if !isPath(name) {
		return nil, nil //nolint:nilnil // a nil place is one without a file
	}
	p := &place{path: name}
	if !strings.HasPrefix(name, "/") && runtime.GOOS != "windows" {
		dir, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		p.path = dir + "/" + name
	}
	var err error
	if p.file, err = os.Lstat(p.path); err != nil {
		return nil, err
	}
	return p, nil
}

func (cfg *ListenConfig) permit(path string) error {
	if cfg.Mode == 0 {
		return nil
	}
	if cfg.Owner != nil {
		if err := os.Lchown(path, cfg.Owner.UID, cfg.Owner.GID); err != nil {
			return err
		}
	}
	return os.Chmod(path, cfg.Mode)
}

// keep has the file stay where it is.
func (p *place) keep() { p.once.Do(func() {}) }

// fileFact is how others come to keep the file of a socket, whose place is what
// of returns.
func fileFact[S any](of func(S) *place) attr.Fact[S] {
	return attr.From(sockattr.KeepFile, func(s S) (func(), error) {
		if p := of(s); p != nil {
			return p.keep, nil
		}
		return nil, attr.ErrNotFound
	})
}

// leave removes the file, if it is still the one that bind made.
func (p *place) leave() {
	if p == nil {
		return
	}
	p.once.Do(func() {
		if now, err := os.Lstat(p.path); err == nil && os.SameFile(now, p.file) {
			_ = os.Remove(p.path) // nothing to be done about it
		}
	})
}
