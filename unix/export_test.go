package unix

import (
	"context"
	"io/fs"
	"net"
	"os"
)

// ModeAfterBind returns the mode that a socket file has between bind and
// chmod.
func ModeAfterBind(ctx context.Context, name string, cfg *ListenConfig) (fs.FileMode, error) {
	lc := net.ListenConfig{Control: cfg.control()}
	ln, err := lc.Listen(ctx, "unix", name)
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	info, err := os.Lstat(name)
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}
