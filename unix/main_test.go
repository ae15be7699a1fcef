//go:build linux

package unix_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// place returns a path that is short enough for a socket.
func place(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "unix") //nolint:usetesting // TempDir has the test's name in it, which may be long
	require.NoError(tb, err)
	tb.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func nameOf(p attr.Provider) string {
	addr, _ := unix.LocalAddr.Lookup(p)
	return addr.String()
}

// pair returns both ends of a connection.
func pair(ctx context.Context) (a, b *unix.Conn, err error) {
	ln, err := unix.Listen(ctx, "", nil)
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	if a, err = unix.Dial(ctx, nameOf(ln), nil); err != nil {
		return nil, nil, err
	}
	if b, err = ln.Accept(ctx); err != nil {
		a.Close()
		return nil, nil, err
	}
	return a, b, nil
}

func connected(tb testing.TB) (a, b *unix.Conn) {
	tb.Helper()
	a, b, err := pair(tb.Context())
	require.NoError(tb, err)
	tb.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func pipe(ctx context.Context) (a, b stream.ByteStream, err error) { return pair(ctx) }

func listen(tb testing.TB, name string, cfg *unix.ListenConfig) *unix.Listener {
	tb.Helper()
	ln, err := unix.Listen(tb.Context(), name, cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { ln.Close() })
	return ln
}

// packets returns two packet sockets of which each sends to the other.
func packets(ctx context.Context) (a, b *unix.PacketConn, err error) {
	if b, err = unix.ListenPacket(ctx, "", nil); err != nil {
		return nil, nil, err
	}
	if a, err = unix.DialPacket(ctx, nameOf(b), nil); err != nil {
		b.Close()
		return nil, nil, err
	}
	return a, b, nil
}

// seqpackets returns both ends of a connection.
func seqpackets(ctx context.Context) (a, b *unix.SeqpacketConn, err error) {
	ln, err := unix.ListenSeqpacket(ctx, "", nil)
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	if a, err = unix.DialSeqpacket(ctx, nameOf(ln), nil); err != nil {
		return nil, nil, err
	}
	if b, err = ln.Accept(ctx); err != nil {
		a.Close()
		return nil, nil, err
	}
	return a, b, nil
}
