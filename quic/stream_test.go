package quic_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
)

func send(t *testing.T, s stream.ByteSender, what string) {
	t.Helper()
	n, err := s.Send(t.Context(), []byte(what))
	require.NoError(t, err)
	require.Equal(t, len(what), n)
}

func wantReceived(t *testing.T, s stream.ByteReceiver, want string) {
	t.Helper()
	got := make([]byte, len(want))
	_, err := io.ReadFull(stream.NewReader(t.Context(), s), got)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

// brokenBy wants err to be a StreamError of the peer's.
func brokenBy(t *testing.T, err error, want quic.StreamError) {
	t.Helper()
	require.ErrorIs(t, err, stream.ErrBroken)
	got, ok := errors.AsType[*quic.StreamError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, want, *got)
	code, ok := errors.AsType[quic.Code](err)
	require.True(t, ok)
	require.Equal(t, want.Code, code)
}

func TestAResetOfOneDirectionLeavesTheOtherAlone(t *testing.T) {
	a, b := streamed(t, nil)
	require.NoError(t, a.AbortSend(quic.Code(42)))
	_, err := b.Receive(t.Context(), make([]byte, 1))
	brokenBy(t, err, quic.StreamError{Code: 42})
	_, again := b.Receive(t.Context(), make([]byte, 1))
	require.Same(t, err, again)

	_, err = a.Send(t.Context(), []byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
	send(t, b, "the other way")
	wantReceived(t, a, "the other way")
	require.NoError(t, b.SendEOF(t.Context()))
	_, err = a.Receive(t.Context(), make([]byte, 1))
	require.Equal(t, io.EOF, err)
}

func TestAStopOfOneDirectionLeavesTheOtherAlone(t *testing.T) {
	a, b := streamed(t, nil)
	require.NoError(t, a.AbortReceive(quic.Code(7)))
	var err error
	for err == nil { // until the news is here
		_, err = b.Send(t.Context(), make([]byte, 1000))
	}
	brokenBy(t, err, quic.StreamError{Code: 7, Stopped: true})
	err = b.SendEOF(t.Context())
	brokenBy(t, err, quic.StreamError{Code: 7, Stopped: true})

	_, err = a.Receive(t.Context(), make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed)
	send(t, a, "the other way")
	require.NoError(t, a.SendEOF(t.Context()))
	wantReceived(t, b, "the other way")
	_, err = b.Receive(t.Context(), make([]byte, 1))
	require.Equal(t, io.EOF, err)
}

func TestSendEOFOnAStreamThatWasStoppedIsItsFailure(t *testing.T) {
	a, b := streamed(t, nil)
	require.NoError(t, a.AbortReceive(quic.Code(7)))
	require.NoError(t, a.SendEOF(t.Context()))
	_, err := b.Receive(t.Context(), make([]byte, 1)) // the FIN comes after the STOP_SENDING
	require.Equal(t, io.EOF, err)
	brokenBy(t, b.SendEOF(t.Context()), quic.StreamError{Code: 7, Stopped: true})
}

func TestAbortPassesOnTheCodeOfItsCause(t *testing.T) {
	client, server := connected(t, nil)
	a, b, err := streams(t.Context(), client, server)
	require.NoError(t, err)
	c, d, err := streams(t.Context(), client, server)
	require.NoError(t, err)

	require.NoError(t, stream.Abort(a, quic.Code(1<<62-1)))
	_, err = b.Receive(t.Context(), make([]byte, 1))
	brokenBy(t, err, quic.StreamError{Code: 1<<62 - 1})

	require.NoError(t, stream.Abort(d, err), "as a relay does")
	_, err = c.Receive(t.Context(), make([]byte, 1))
	brokenBy(t, err, quic.StreamError{Stream: 4, Code: 1<<62 - 1})

	e, f, err := streams(t.Context(), client, server)
	require.NoError(t, err)
	require.NoError(t, stream.Abort(e, errors.New("no code")))
	_, err = f.Receive(t.Context(), make([]byte, 1))
	brokenBy(t, err, quic.StreamError{Stream: 8})

	g, h, err := streams(t.Context(), client, server)
	require.NoError(t, err)
	require.NoError(t, stream.Abort(g, quic.Code(1<<63)))
	_, err = h.Receive(t.Context(), make([]byte, 1))
	brokenBy(t, err, quic.StreamError{Stream: 12, Code: 1<<62 - 1})
}

func TestCloseDuringASendResets(t *testing.T) {
	a, b := streamed(t, &quic.Config{StreamWindow: window})
	sending := make(chan error, 1)
	go func() {
		_, err := a.Send(t.Context(), make([]byte, 4*window))
		sending <- err
	}()
	wantReceived(t, b, string(make([]byte, 1000))) // it is under way
	require.NoError(t, a.Close())
	require.ErrorIs(t, <-sending, net.ErrClosed)
	_, err := io.Copy(io.Discard, stream.NewReader(t.Context(), b))
	brokenBy(t, err, quic.StreamError{})
}

// A canceled Send says exactly what it took: that arrives, and what is sent
// after it follows at once.
func TestACanceledSendIsResumed(t *testing.T) {
	a, b := streamed(t, &quic.Config{StreamWindow: window})
	data := bytes.Repeat([]byte("0123456789abcdef"), 4*window/16)
	ctx, cancel := context.WithCancel(t.Context())
	type result struct {
		n   int
		err error
	}
	sending := make(chan result, 1)
	go func() {
		n, err := a.Send(ctx, data)
		sending <- result{n, err}
	}()
	wantReceived(t, b, string(data[:100]))
	cancel()
	r := <-sending
	require.ErrorIs(t, r.err, context.Canceled)
	require.Less(t, r.n, len(data))

	go func() {
		n, err := a.Send(t.Context(), data[r.n:])
		sending <- result{n, errors.Join(err, a.SendEOF(t.Context()))}
	}()
	got, err := io.ReadAll(stream.NewReader(t.Context(), b))
	require.NoError(t, err)
	require.True(t, bytes.Equal(data[100:], got))
	require.Equal(t, result{n: len(data) - r.n}, <-sending)
}

func TestTheEndOfTheConnectionIsOneFailureForAllStreams(t *testing.T) {
	client, server := connected(t, nil)
	a, b, err := streams(t.Context(), client, server)
	require.NoError(t, err)
	c, d, err := streams(t.Context(), client, server)
	require.NoError(t, err)
	require.NoError(t, c.SendEOF(t.Context()))
	_, err = d.Receive(t.Context(), make([]byte, 1))
	require.Equal(t, io.EOF, err)

	require.NoError(t, server.Abort(&quic.ApplicationError{Code: 9, Reason: "enough"}))
	_, first := client.AcceptStream(t.Context())
	require.ErrorIs(t, first, stream.ErrBroken)
	closed, ok := errors.AsType[*quic.ApplicationError](first)
	require.True(t, ok)
	assert.Equal(t, quic.ApplicationError{Code: 9, Reason: "enough"}, *closed)
	assert.NotErrorIs(t, first, net.ErrClosed)

	_, err = a.Receive(t.Context(), make([]byte, 1))
	require.Same(t, first, err)
	_, err = a.Send(t.Context(), []byte("x"))
	require.Same(t, first, err)
	_, err = client.OpenStream(t.Context())
	require.Same(t, first, err)
	require.Same(t, first, a.SendEOF(t.Context()))

	// On the side that closed it everything is closed, even what had ended.
	for _, s := range []*quic.Stream{b, d} {
		_, err = s.Receive(t.Context(), make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = s.Send(t.Context(), []byte("x"))
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = s.TrySend([]byte("x"))
		require.ErrorIs(t, err, net.ErrClosed)
		require.ErrorIs(t, s.SendEOF(t.Context()), net.ErrClosed)
		require.ErrorIs(t, s.WaitReceive(t.Context()), net.ErrClosed)
		_, err = s.Receive(t.Context(), nil)
		require.ErrorIs(t, err, stream.ErrEmptyBuffer)
	}
	_, err = server.OpenStream(t.Context())
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = server.AcceptReceiveStream(t.Context())
	require.ErrorIs(t, err, net.ErrClosed)
	require.ErrorIs(t, server.Packets().Send(t.Context(), nil), net.ErrClosed)
	require.NoError(t, server.Close())
}

func TestCloseOfTheConnectionWakesWhatWaits(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		cfg := &quic.Config{StreamWindow: window, Packets: true, MaxStreams: 1}
		r.serve(cfg)
		wakesWhatWaits(r, cfg)
	})
}

func wakesWhatWaits(t *rig, cfg *quic.Config) {
	t.Helper()
	client, server := t.dial(cfg)
	a, _ := t.stream(client, server)
	calls := []func() error{
		func() error { _, err := a.Receive(t.Context(), make([]byte, 1)); return err },
		func() error { _, err := a.Send(t.Context(), make([]byte, 4*window)); return err },
		func() error { _, err := client.AcceptStream(t.Context()); return err },
		func() error { _, err := client.AcceptReceiveStream(t.Context()); return err },
		func() error { _, err := client.OpenStream(t.Context()); return err },
		func() error { _, err := client.Packets().Receive(t.Context()); return err },
		func() error { _, err := client.Streams().Accept(t.Context()); return err },
	}
	woken := make(chan error, len(calls))
	for _, call := range calls {
		go func() { woken <- call() }()
	}
	synctest.Wait()
	require.Empty(t, woken)
	require.NoError(t, client.Close())
	for range calls {
		require.ErrorIs(t, <-woken, net.ErrClosed)
	}
}

func TestSeveralMayAcceptStreams(t *testing.T) {
	client, server := connected(t, nil)
	const n = 8
	accepted := make(chan quic.StreamID, n)
	for range n {
		go func() {
			s, err := server.AcceptStream(t.Context())
			if assert.NoError(t, err) {
				id, _ := quic.ID.Lookup(s)
				accepted <- id
			}
		}()
	}
	for range n {
		s, err := client.OpenStream(t.Context())
		require.NoError(t, err)
		send(t, s, "x")
	}
	seen := make(map[quic.StreamID]bool)
	for range n {
		seen[<-accepted] = true
	}
	require.Len(t, seen, n)
}

func TestACanceledOpenStreamUsesUpNothing(t *testing.T) {
	client, server := connected(t, &quic.Config{MaxStreams: 1})
	a, b, err := streams(t.Context(), client, server)
	require.NoError(t, err)
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		opening := make(chan error, 1)
		go func() {
			_, err := client.OpenStream(ctx)
			opening <- err
		}()
		cancel()
		require.ErrorIs(t, <-opening, context.Canceled)
	}
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
	for range 3 {
		a, b, err = streams(t.Context(), client, server)
		require.NoError(t, err)
		require.NoError(t, a.Close())
		require.NoError(t, b.Close())
	}
}

func TestPacketsThatCannotBeSentAreTypedErrors(t *testing.T) {
	client, _ := connected(t, &quic.Config{Packets: true})
	err := client.Packets().Send(t.Context(), make([]byte, 4000))
	size, ok := errors.AsType[*quic.PacketSizeError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, 4000, size.Size)
	assert.Greater(t, size.Max, 1000)
	require.NoError(t, client.Packets().Send(t.Context(), make([]byte, size.Max)))

	without, _ := connected(t, nil)
	require.ErrorIs(t, without.Packets().Send(t.Context(), []byte("x")), errors.ErrUnsupported)
	_, err = without.Packets().Receive(t.Context())
	require.ErrorIs(t, err, errors.ErrUnsupported)
}

func TestPacketsEndWithoutTheConnection(t *testing.T) {
	client, server := connected(t, &quic.Config{Packets: true})
	require.NoError(t, client.Packets().Close())
	require.ErrorIs(t, client.Packets().Send(t.Context(), nil), net.ErrClosed)
	_, _, err := streams(t.Context(), client, server)
	require.NoError(t, err)
	require.NoError(t, client.Close())
	_, err = server.Packets().Receive(t.Context())
	require.ErrorIs(t, err, stream.ErrBroken)
	require.ErrorIs(t, server.Packets().Send(t.Context(), []byte("x")), stream.ErrBroken)
}
