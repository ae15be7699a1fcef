package tcp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
)

func TestWhatWasSentBeforeAResetIsReceivedFirst(t *testing.T) {
	a, b := connected(t)
	_, err := a.Send(t.Context(), []byte("which nobody reads"))
	require.NoError(t, err)
	require.NoError(t, b.WaitReceive(t.Context()), "it has arrived")
	_, err = b.Send(t.Context(), []byte("bye"))
	require.NoError(t, err)
	require.NoError(t, b.Close(), "with a reset, as something is left")
	p := make([]byte, 8)
	n, err := a.Receive(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, "bye", string(p[:n]))
	_, err = a.Receive(t.Context(), p)
	require.ErrorIs(t, err, stream.ErrBroken)
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

func TestFirstSendAfterThePeersCloseIsTakenAndALaterOneBroken(t *testing.T) {
	a, b := connected(t)
	require.NoError(t, b.Close())
	_, err := a.Receive(t.Context(), make([]byte, 1))
	require.Equal(t, io.EOF, err)
	n, err := a.Send(t.Context(), []byte("into the void"))
	require.NoError(t, err, "taken is not delivered")
	require.Equal(t, 13, n)
	for err == nil { // until the answer is there, which is a reset
		_, err = a.Send(t.Context(), []byte("more"))
	}
	require.ErrorIs(t, err, stream.ErrBroken)
	_, again := a.Send(t.Context(), []byte("more"))
	require.Same(t, err, again)
}

func TestResetInTheMiddleOfASendTellsHowMuchWasTaken(t *testing.T) {
	const buffer = 64 << 10 // of which the kernel makes twice as much
	ln := listen(t, &tcp.ListenConfig{Options: tcp.Options{ReceiveBuffer: buffer}})
	a, err := tcp.Dial(t.Context(), addrOf(ln), &tcp.DialConfig{Options: tcp.Options{SendBuffer: buffer}})
	require.NoError(t, err)
	defer a.Close()
	b, err := ln.Accept(t.Context())
	require.NoError(t, err)
	defer b.Close()
	type result struct {
		n   int
		err error
	}
	sent := make(chan result, 1)
	go func() {
		n, err := a.Send(t.Context(), make([]byte, 64<<20))
		sent <- result{n, err}
	}()
	received := 0
	for p := make([]byte, 32<<10); received < 1<<20; {
		n, err := b.Receive(t.Context(), p)
		require.NoError(t, err)
		received += n
	}
	require.NoError(t, b.Abort(nil))
	r := <-sent
	require.ErrorIs(t, r.err, stream.ErrBroken)
	assert.GreaterOrEqual(t, r.n, received)
	assert.LessOrEqual(t, r.n, received+4*buffer, "no more than what was on the way")
	_, again := a.Receive(t.Context(), make([]byte, 1))
	assert.Same(t, r.err, again, "both directions tell the same")
}

func TestPeerThatResetsBeforeItIsAcceptedHarmsNobody(t *testing.T) {
	ln := listen(t, &tcp.ListenConfig{Options: tcp.Options{Nagle: true, Linger: -1}})
	gone, err := tcp.Dial(t.Context(), addrOf(ln), nil)
	require.NoError(t, err)
	require.NoError(t, gone.Abort(nil))
	live, err := tcp.Dial(t.Context(), addrOf(ln), nil)
	require.NoError(t, err)
	defer live.Close()
	from, _ := tcp.LocalAddrPort.Lookup(live)
	for { // some systems pass over the first
		c, err := ln.Accept(t.Context())
		require.NoError(t, err)
		defer c.Close()
		remote, err := tcp.RemoteAddrPort.Get(c)
		require.NoError(t, err)
		if remote == from {
			return
		}
		_, err = c.Receive(t.Context(), make([]byte, 1))
		require.ErrorIs(t, err, stream.ErrBroken)
	}
}

func TestListenerClosedUnderfootSaysSo(t *testing.T) {
	theirs, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ln := tcp.WrapListener(theirs.(*net.TCPListener))
	defer ln.Close()
	waiting := make(chan error, 1)
	go func() {
		_, err := ln.Accept(context.Background())
		waiting <- err
	}()
	require.NoError(t, theirs.Close())
	require.ErrorIs(t, <-waiting, net.ErrClosed)
	_, err = ln.Accept(t.Context())
	require.ErrorIs(t, err, net.ErrClosed)
}

// descriptors counts those that are open.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("this system does not list descriptors")
	}
	return len(entries)
}

func TestConnectionsLeaveNoDescriptors(t *testing.T) {
	ln := listen(t, nil)
	refusing := free(t)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	before := descriptors(t)
	for i := range 2000 {
		c, err := tcp.Dial(t.Context(), addrOf(ln), nil)
		require.NoError(t, err)
		peer, err := ln.Accept(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.Abort(nil))
		require.NoError(t, peer.Close())
		if i%4 == 0 {
			_, err = tcp.Dial(t.Context(), refusing, nil)
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
			_, err = tcp.Dial(canceled, addrOf(ln), nil)
			require.ErrorIs(t, err, context.Canceled)
		}
	}
	assert.Equal(t, before, descriptors(t))
}

func TestDialGivesUpWhenTheLookupIsCanceled(t *testing.T) {
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cfg := &tcp.DialConfig{}
	cfg.Race.Resolver = silent{asked: func() { cancel(enough) }}
	_, err := tcp.Dial(ctx, "host.test:80", cfg)
	require.ErrorIs(t, err, enough)
	ctx, cancel = context.WithCancelCause(t.Context())
	_, err = tcp.Listen(ctx, "host.test:80", &tcp.ListenConfig{Resolver: silent{asked: func() { cancel(enough) }}})
	require.ErrorIs(t, err, enough)
}

// silent is a resolver that never answers.
type silent struct{ asked func() }

func (s silent) Resolve(ctx context.Context, _ happyeyeballs.Query, _ func(happyeyeballs.Answer)) error {
	s.asked()
	<-ctx.Done()
	return ctx.Err()
}
