package ctxio_test

import (
	"context"
	"net"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/internal/ctxio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dialPair returns the two ends of a new connection, closed with the test.
func dialPair(tb testing.TB, network, addr string) (a, b net.Conn) {
	tb.Helper()
	ln, err := net.Listen(network, addr)
	require.NoError(tb, err)
	defer ln.Close()
	a, err = net.Dial(network, ln.Addr().String())
	require.NoError(tb, err)
	b, err = ln.Accept()
	require.NoError(tb, err)
	tb.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return a, b
}

func tcpPair(tb testing.TB) (a, b net.Conn) {
	tb.Helper()
	return dialPair(tb, "tcp", "127.0.0.1:0")
}

func unixPair(tb testing.TB) (a, b net.Conn) {
	tb.Helper()
	return dialPair(tb, "unix", filepath.Join(tb.TempDir(), "s"))
}

func pipePair(tb testing.TB) (a, b net.Conn) {
	tb.Helper()
	a, b = net.Pipe()
	tb.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return a, b
}

// foreign hides what a net.Conn is, so that it takes the path of deadlines.
type foreign struct{ net.Conn }

func foreignPair(tb testing.TB) (a, b net.Conn) {
	tb.Helper()
	a, b = tcpPair(tb)
	return foreign{a}, foreign{b}
}

// kinds are the net.Conns that take different ways through the engine.
var kinds = []struct {
	name string
	pair func(testing.TB) (a, b net.Conn)
}{
	{"tcp", tcpPair},
	{"unix", unixPair},
	{"pipe", pipePair},
	{"foreign", foreignPair},
}

// wrap is closed with the test.
func wrap(tb testing.TB, conn net.Conn) *ctxio.Conn {
	tb.Helper()
	c := new(ctxio.Conn)
	c.Init(conn)
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// cancelSoon returns a context that is canceled some turns of the scheduler
// from now.
func cancelSoon(ctx context.Context, turns int) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for range turns {
			runtime.Gosched()
		}
		cancel()
	}()
	return ctx, cancel
}

// background is what cannot be canceled, unlike a test's own context.
var background = context.Background()

// answer is what a call returned.
type answer struct {
	n   int
	err error
}

// begin runs a call in the background.
func begin(call func() (int, error)) <-chan answer {
	done := make(chan answer, 1)
	go func() {
		n, err := call()
		done <- answer{n, err}
	}()
	return done
}

// await fails the test rather than hang in it.
func await(t *testing.T, done <-chan answer) answer {
	t.Helper()
	select {
	case a := <-done:
		return a
	case <-t.Context().Done():
		t.Fatal("the call did not return")
		return answer{}
	}
}
