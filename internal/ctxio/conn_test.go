package ctxio_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/stream"
)

func TestCanceledSendReportsExactlyWhatItSent(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			a, b := kind.pair(t)
			c := wrap(t, a)
			p := make([]byte, 16<<20)
			for i := range p {
				p[i] = byte(i >> 8)
			}
			ctx, cancel := cancelSoon(t.Context(), 1000)
			defer cancel()
			sent, err := c.Send(ctx, p)
			require.ErrorIs(t, err, context.Canceled)
			require.Less(t, sent, len(p))

			rest := begin(func() (int, error) {
				n, err := c.Send(t.Context(), p[sent:])
				return n, errors.Join(err, c.Close())
			})
			got, err := io.ReadAll(b)
			require.NoError(t, err)
			require.NoError(t, await(t, rest).err)
			assert.Equal(t, p, got)
		})
	}
}

func TestTrySendTakesWhatThereIsRoomFor(t *testing.T) {
	a, b := tcpPair(t)
	c := wrap(t, a)
	p := make([]byte, 1<<16)
	total := 0
	var err error
	for err == nil {
		var n int
		n, err = c.TrySend(p)
		total += n
	}
	require.ErrorIs(t, err, stream.ErrWouldBlock)
	require.NoError(t, c.Close())
	got, err := io.ReadAll(b)
	require.NoError(t, err)
	assert.Len(t, got, total)
}

func TestTrySendIsNotStoppedByAContextThatStoodArmed(t *testing.T) {
	a, b := tcpPair(t)
	c := wrap(t, a)
	ctx, cancel := context.WithCancel(t.Context())
	p := make([]byte, 32<<20) // must park
	drained := begin(func() (int, error) { n, err := io.Copy(io.Discard, b); return int(n), err })
	for range 3 {
		_, err := c.Send(ctx, p)
		require.NoError(t, err)
	}
	cancel()
	for range 10 {
		n, err := c.TrySend([]byte("x"))
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
	require.NoError(t, c.Close())
	assert.Equal(t, 3*len(p)+10, await(t, drained).n)
}

func TestSendBuffersLeavesTheCallersSlicesAlone(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			a, b := kind.pair(t)
			c := wrap(t, a)
			bufs := [][]byte{[]byte("one "), nil, []byte("two "), []byte("three")}
			done := begin(func() (int, error) {
				n, err := c.SendBuffers(t.Context(), bufs)
				return int(n), errors.Join(err, c.Close())
			})
			got, err := io.ReadAll(b)
			require.NoError(t, err)
			assert.Equal(t, "one two three", string(got))
			assert.Equal(t, answer{13, nil}, await(t, done))
			assert.Equal(t, [][]byte{[]byte("one "), nil, []byte("two "), []byte("three")}, bufs)
		})
	}
}

func TestDetachGivesTheNetConnBackDisarmed(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			a, b := kind.pair(t)
			c := wrap(t, b)
			ctx, cancel := context.WithCancel(t.Context())
			parkUntilStanding(ctx, t, a, c)
			raw, err := c.Detach()
			require.NoError(t, err)
			assert.True(t, b == raw)
			cancel()
			c.FireLate()
			assert.NoError(t, oneByte(t, a, raw))

			_, err = c.Receive(t.Context(), make([]byte, 1))
			require.ErrorIs(t, err, net.ErrClosed)
			_, err = c.Detach()
			require.ErrorIs(t, err, net.ErrClosed)
			require.NoError(t, c.Close())
			require.NoError(t, c.Abort(nil))
			assert.NoError(t, oneByte(t, a, raw), "Close after Detach has closed the net.Conn")
		})
	}
}

// oneByte sends a byte from a to b.
func oneByte(t *testing.T, a, b net.Conn) error {
	t.Helper()
	done := begin(func() (int, error) { return b.Read(make([]byte, 1)) })
	_, err := a.Write([]byte("x"))
	return errors.Join(err, await(t, done).err)
}

func TestDetachRemovesTheDeadlineOfACanceledCall(t *testing.T) {
	a, b := pipePair(t)
	c := wrap(t, b)
	ctx, cancel := cancelSoon(t.Context(), 100)
	defer cancel()
	_, err := c.Receive(ctx, make([]byte, 1))
	require.ErrorIs(t, err, context.Canceled)
	raw, err := c.Detach()
	require.NoError(t, err)
	assert.NoError(t, oneByte(t, a, raw))
}

func TestDetachDuringACallIsBusy(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			a, b := kind.pair(t)
			c := wrap(t, b)
			done := begin(func() (n int, err error) {
				for n, err = c.Receive(t.Context(), make([]byte, 1)); errors.Is(err, stream.ErrBusy); {
					n, err = c.Receive(t.Context(), make([]byte, 1))
				}
				return n, err
			})
			var err error
			for !errors.Is(err, stream.ErrBusy) { // until that is under way
				ctx, cancel := cancelSoon(t.Context(), 10)
				_, err = c.Receive(ctx, make([]byte, 1))
				cancel()
			}
			_, err = c.Detach()
			require.ErrorIs(t, err, stream.ErrBusy)
			_, err = a.Write([]byte("x"))
			require.NoError(t, err)
			assert.Equal(t, answer{1, nil}, await(t, done))
		})
	}
}

func TestCloseLetsTheAddressBeBoundAgain(t *testing.T) {
	a, b := tcpPair(t)
	c := wrap(t, b)
	done := begin(func() (int, error) { return c.Receive(t.Context(), make([]byte, 1)) })
	require.NoError(t, c.Abort(nil)) // so that no TIME_WAIT remains
	require.ErrorIs(t, await(t, done).err, net.ErrClosed)
	ln, err := net.Listen("tcp", a.RemoteAddr().String())
	require.NoError(t, err)
	require.NoError(t, ln.Close())
}

// A lastWords returns its end together with its last bytes.
type lastWords struct {
	net.Conn
	said bool
}

func (l *lastWords) Read(p []byte) (int, error) {
	if l.said {
		return 0, errors.New("asked again")
	}
	l.said = true
	return copy(p, "bye"), io.EOF
}

func TestAnEndThatCameWithTheLastBytesIsNotAskedForAgain(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	c := wrap(t, &lastWords{Conn: a})
	n, err := c.Receive(t.Context(), make([]byte, 8))
	require.NoError(t, err)
	require.Equal(t, 3, n)
	for range 2 {
		_, err = c.Receive(t.Context(), make([]byte, 8))
		require.Equal(t, io.EOF, err)
	}
}
