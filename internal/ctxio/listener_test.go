package ctxio_test

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/ctxio"
)

// plain hides the deadlines of a net.Listener.
type plain struct{ net.Listener }

var listenerKinds = []struct {
	name string
	hide func(net.Listener) net.Listener
}{
	{"with deadlines", func(ln net.Listener) net.Listener { return ln }},
	{"without", func(ln net.Listener) net.Listener { return plain{ln} }},
}

// eachListener runs test with every kind of listener.
func eachListener(t *testing.T, test func(t *testing.T, l *ctxio.Listener, addr string)) {
	t.Helper()
	for _, kind := range listenerKinds {
		t.Run(kind.name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			l := new(ctxio.Listener)
			l.Init(kind.hide(ln))
			t.Cleanup(func() { _ = l.Close() })
			test(t, l, ln.Addr().String())
		})
	}
}

// beginAccept accepts in the background, and closes what it gets.
func beginAccept(ctx context.Context, l *ctxio.Listener) <-chan answer {
	return begin(func() (int, error) {
		conn, err := l.Accept(ctx)
		if err != nil {
			return 0, err
		}
		return 1, conn.Close()
	})
}

func TestCanceledAcceptTakesNoConnection(t *testing.T) {
	eachListener(t, func(t *testing.T, l *ctxio.Listener, addr string) {
		t.Helper()
		for range 50 {
			ctx, cancel := cancelSoon(t.Context(), 20)
			_, err := l.Accept(ctx)
			require.ErrorIs(t, err, context.Canceled)
			cancel()
			client, err := net.Dial("tcp", addr)
			require.NoError(t, err)
			assert.Equal(t, answer{1, nil}, await(t, beginAccept(t.Context(), l)))
			require.NoError(t, client.Close())
		}
	})
}

func TestAcceptWithADoneContextTakesNoConnection(t *testing.T) {
	eachListener(t, func(t *testing.T, l *ctxio.Listener, addr string) {
		t.Helper()
		client, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer client.Close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = l.Accept(ctx)
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, answer{1, nil}, await(t, beginAccept(t.Context(), l)))
	})
}

func TestAcceptsTakeTurns(t *testing.T) {
	eachListener(t, func(t *testing.T, l *ctxio.Listener, addr string) {
		t.Helper()
		var accepts []<-chan answer
		for range 8 {
			accepts = append(accepts, beginAccept(t.Context(), l))
		}
		ctx, cancel := context.WithCancel(t.Context())
		waiting := beginAccept(ctx, l)
		cancel()
		first := await(t, waiting).err
		require.ErrorIs(t, first, context.Canceled)
		for range accepts {
			client, err := net.Dial("tcp", addr)
			require.NoError(t, err)
			t.Cleanup(func() { _ = client.Close() })
		}
		for _, a := range accepts {
			assert.Equal(t, answer{1, nil}, await(t, a))
		}
	})
}

func TestCloseWakesEveryAccept(t *testing.T) {
	eachListener(t, func(t *testing.T, l *ctxio.Listener, _ string) {
		t.Helper()
		var accepts []<-chan answer
		for range 4 {
			accepts = append(accepts, beginAccept(t.Context(), l))
		}
		require.NoError(t, l.Close())
		require.NoError(t, l.Close(), "again")
		for _, a := range accepts {
			assert.Equal(t, answer{0, net.ErrClosed}, await(t, a))
		}
		_, err := l.Accept(t.Context())
		assert.Equal(t, net.ErrClosed, err)
	})
}

func TestCloseEndsConnectionsThatNobodyCameFor(t *testing.T) {
	eachListener(t, func(t *testing.T, l *ctxio.Listener, addr string) {
		t.Helper()
		ctx, cancel := cancelSoon(t.Context(), 20)
		defer cancel()
		_, err := l.Accept(ctx) // which leaves a goroutine where there are no deadlines
		require.ErrorIs(t, err, context.Canceled)
		client, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer client.Close()
		require.NoError(t, l.Close())
		_, err = client.Read(make([]byte, 1))
		require.Error(t, err)
		assert.True(t, err == io.EOF || errors.Is(err, syscall.ECONNRESET), "%v", err)
	})
}

// exhausted fails once, as a listener does when descriptors run out.
type exhausted struct {
	net.Listener
	err error
}

func (e *exhausted) Accept() (net.Conn, error) {
	if err := e.err; err != nil {
		e.err = nil
		return nil, err
	}
	return e.Listener.Accept()
}

func TestListenerSurvivesAnErrorOfAccept(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	full := &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	l := new(ctxio.Listener)
	l.Init(&exhausted{ln, full})
	defer l.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	_, err = l.Accept(t.Context())
	require.Same(t, full, err)
	assert.Equal(t, answer{1, nil}, await(t, beginAccept(t.Context(), l)))
}
