package tcp_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(t *testing.T, cfg *tcp.ListenConfig) *tcp.Listener {
	t.Helper()
	ln, err := tcp.Listen(t.Context(), "127.0.0.1:0", cfg)
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	return ln
}

func addrOf(p attr.Provider) string {
	addr, _ := tcp.LocalAddr.Lookup(p)
	return addr.String()
}

// pair returns both ends of a connection over loopback.
func pair(ctx context.Context) (a, b *tcp.Conn, err error) {
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	if a, err = tcp.Dial(ctx, addrOf(ln), nil); err != nil {
		return nil, nil, err
	}
	if b, err = ln.Accept(ctx); err != nil {
		a.Close()
		return nil, nil, err
	}
	return a, b, nil
}

func connected(t *testing.T) (a, b *tcp.Conn) {
	t.Helper()
	a, b, err := pair(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func pipe(ctx context.Context) (a, b stream.ByteStream, err error) { return pair(ctx) }
