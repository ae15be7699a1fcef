package ctxio_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/stream"
)

func TestResetIsNeverACleanEnd(t *testing.T) {
	tests := []struct {
		name   string
		pair   func(testing.TB) (a, b net.Conn)
		rounds int
	}{
		{"tcp", tcpPair, 200},
		{"unix", unixPair, 2000}, // where one in 2,000 would be, with nothing done about it
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range tt.rounds {
				resetDuringCalls(t, tt.pair)
			}
		})
	}
}

// resetDuringCalls resets a connection on which both directions wait.
func resetDuringCalls(t *testing.T, pair func(testing.TB) (a, b net.Conn)) {
	t.Helper()
	a, b := pair(t)
	peer, c := wrap(t, a), wrap(t, b)
	receives := begin(func() (int, error) { return c.Receive(t.Context(), make([]byte, 1)) })
	sends := begin(func() (int, error) {
		for {
			if n, err := c.Send(t.Context(), make([]byte, 1<<16)); err != nil {
				return n, err
			}
		}
	})
	_, err := peer.Receive(t.Context(), make([]byte, 1)) // the Sends are under way
	require.NoError(t, err)
	require.NoError(t, peer.Abort(nil)) // with bytes unread, which is a reset on Unix sockets

	sent, received := await(t, sends), await(t, receives)
	require.ErrorIs(t, sent.err, stream.ErrBroken)
	require.ErrorIs(t, received.err, stream.ErrBroken)
	require.Same(t, broken(t, sent.err), broken(t, received.err))
	require.NoError(t, c.Close())
}

// broken returns the BrokenError that err is.
func broken(t *testing.T, err error) *stream.BrokenError {
	t.Helper()
	b, ok := err.(*stream.BrokenError) // the very same error, not one around it
	require.True(t, ok, "%#v", err)
	return b
}

func TestResetTellsTheErrnoAndTheOperation(t *testing.T) {
	a, b := tcpPair(t)
	peer, c := wrap(t, a), wrap(t, b)
	require.NoError(t, peer.Abort(nil))
	_, err := c.Receive(t.Context(), make([]byte, 1))
	require.ErrorIs(t, err, stream.ErrBroken)
	require.ErrorIs(t, err, syscall.ECONNRESET)
	var op *net.OpError
	require.ErrorAs(t, err, &op)
	assert.Equal(t, "read", op.Op)
	assert.Equal(t, b.RemoteAddr(), op.Addr)
}

func TestReceiveAfterAFailedSendReturnsWhatIsReadableFirst(t *testing.T) {
	for _, kind := range []string{"tcp", "unix"} {
		t.Run(kind, func(t *testing.T) {
			pair := tcpPair
			if kind == "unix" {
				pair = unixPair
			}
			a, b := pair(t)
			c := wrap(t, b)
			_, err := a.Write([]byte("last words"))
			require.NoError(t, err)
			require.NoError(t, c.WaitReceive(t.Context()))
			require.NoError(t, a.Close())
			var sendErr error
			for sendErr == nil { // TCP takes some before it hears of the reset
				_, sendErr = c.Send(t.Context(), []byte("x"))
			}
			require.ErrorIs(t, sendErr, stream.ErrBroken)

			buf := make([]byte, 4)
			var got []byte
			for err == nil {
				var n int
				n, err = c.Receive(t.Context(), buf)
				got = append(got, buf[:n]...)
			}
			assert.Equal(t, "last words", string(got))
			assert.Same(t, broken(t, sendErr), broken(t, err))
			_, err = c.Receive(t.Context(), buf)
			assert.Same(t, broken(t, sendErr), broken(t, err), "once broken, always broken")
			assert.NoError(t, c.WaitReceive(t.Context()), "there is an answer")
		})
	}
}

func TestFailedSendWakesABlockedReceive(t *testing.T) {
	a, b := pipePair(t)
	boom := errors.New("boom")
	c := wrap(t, &scripted{Conn: b, write: func([]byte) (int, error) { return 0, boom }})
	done := begin(func() (int, error) { return c.Receive(t.Context(), make([]byte, 1)) })
	_, err := c.Send(t.Context(), []byte("x"))
	require.ErrorIs(t, err, boom)
	assert.Same(t, broken(t, err), broken(t, await(t, done).err))
	_ = a
}

func TestCleanEndAfterOurOwnSendEOF(t *testing.T) {
	for range 100 {
		a, b := tcpPair(t)
		peer, c := wrap(t, a), wrap(t, b)
		require.NoError(t, c.SendEOF(t.Context()))
		require.NoError(t, peer.SendEOF(t.Context()))
		_, err := peer.Receive(t.Context(), make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		_, err = c.Receive(t.Context(), make([]byte, 1)) // TCP has given c up by now
		require.Equal(t, io.EOF, err)
		require.NoError(t, errors.Join(peer.Close(), c.Close()))
	}
}

func TestWaitReceiveLeavesTheErrorToReceive(t *testing.T) {
	a, b := tcpPair(t)
	peer, c := wrap(t, a), wrap(t, b)
	done := begin(func() (int, error) { return 0, c.WaitReceive(t.Context()) })
	require.NoError(t, peer.Abort(nil))
	require.NoError(t, await(t, done).err)
	_, err := c.Receive(t.Context(), make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

// scripted answers some calls itself.
type scripted struct {
	net.Conn
	read, write func(p []byte) (int, error)
	deadline    func(time.Time) error
}

func (s *scripted) Read(p []byte) (int, error) {
	if s.read == nil {
		return s.Conn.Read(p)
	}
	return s.read(p)
}

func (s *scripted) Write(p []byte) (int, error) {
	if s.write == nil {
		return s.Conn.Write(p)
	}
	return s.write(p)
}

func (s *scripted) SetReadDeadline(t time.Time) error {
	if s.deadline == nil {
		return s.Conn.SetReadDeadline(t)
	}
	return s.deadline(t)
}

func TestErrorsOfTheNetConn(t *testing.T) {
	failing := func(errs ...error) func([]byte) (int, error) {
		return func(p []byte) (int, error) {
			if len(errs) == 0 {
				return 1, nil
			}
			err := errs[0]
			errs = errs[1:]
			return 0, err
		}
	}
	tests := []struct {
		name string
		read func([]byte) (int, error)
		is   error // nil: no error
		not  error
	}{
		{"a timeout of nobody's", failing(os.ErrDeadlineExceeded), nil, nil},
		{
			"two timeouts of nobody's", failing(os.ErrDeadlineExceeded, os.ErrDeadlineExceeded),
			os.ErrDeadlineExceeded, context.DeadlineExceeded,
		},
		{"the network's own timeout", failing(syscall.ETIMEDOUT), syscall.ETIMEDOUT, context.DeadlineExceeded},
		{"closed by somebody else", failing(net.ErrClosed), stream.ErrBroken, net.ErrClosed},
		{"cut off", failing(io.ErrUnexpectedEOF), io.ErrUnexpectedEOF, io.EOF},
		{"nothing for a while", failing(nil, nil, nil), nil, nil},
		{"nothing for ever", failing(make([]error, 1000)...), io.ErrNoProgress, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, b := pipePair(t)
			c := wrap(t, &scripted{Conn: b, read: tt.read})
			n, err := c.Receive(t.Context(), make([]byte, 8))
			if tt.is == nil {
				require.NoError(t, err)
				assert.Equal(t, 1, n)
				return
			}
			require.ErrorIs(t, err, stream.ErrBroken)
			assert.ErrorIs(t, err, tt.is)
			if tt.not != nil {
				assert.NotErrorIs(t, err, tt.not)
			}
		})
	}
}

func TestCancelClosesANetConnWithoutDeadlines(t *testing.T) {
	_, b := pipePair(t)
	refused := errors.New("no deadlines here")
	ctx, cancel := context.WithCancel(t.Context())
	c := wrap(t, &scripted{
		Conn:     b,
		read:     func(p []byte) (int, error) { cancel(); return b.Read(p) }, // not before the call has begun
		deadline: func(time.Time) error { return refused },
	})
	_, err := c.Receive(ctx, make([]byte, 1))
	require.ErrorIs(t, err, context.Canceled)
	_, err = c.Receive(t.Context(), make([]byte, 1))
	require.ErrorIs(t, err, stream.ErrBroken)
	assert.ErrorIs(t, err, refused)
}
