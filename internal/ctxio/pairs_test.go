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
func dialPair(t testing.TB, network, addr string) (a, b net.Conn) {
	t.Helper()
	ln, err := net.Listen(network, addr)
	require.NoError(t, err)
	defer ln.Close()
	a, err = net.Dial(network, ln.Addr().String())
	require.NoError(t, err)
	b, err = ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return a, b
}

func tcpPair(t testing.TB) (a, b net.Conn) { return dialPair(t, "tcp", "127.0.0.1:0") }

func unixPair(t testing.TB) (a, b net.Conn) {
	return dialPair(t, "unix", filepath.Join(t.TempDir(), "s"))
}

func pipePair(t testing.TB) (a, b net.Conn) {
	a, b = net.Pipe()
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return a, b
}

// foreign hides what a net.Conn is, so that it takes the path of deadlines.
type foreign struct{ net.Conn }

func foreignPair(t testing.TB) (a, b net.Conn) {
	a, b = tcpPair(t)
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
func wrap(t testing.TB, conn net.Conn) *ctxio.Conn {
	c := new(ctxio.Conn)
	c.Init(conn)
	t.Cleanup(func() { _ = c.Close() })
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
