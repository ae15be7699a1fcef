package quic_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
)

// Limits that one side sets and the other runs into.

const limit = 3

// opened opens a stream of a client in such a way that the server sees it.
func opened(ctx context.Context, client *quic.Conn) (*quic.Stream, error) {
	s, err := client.OpenStream(ctx)
	if err == nil {
		_, err = s.Send(ctx, []byte("!"))
	}
	return s, err
}

// finish ends every stream of the peer once the peer has.
func finish(ctx context.Context, server *quic.Conn) {
	for {
		s, err := server.AcceptStream(ctx)
		if err != nil {
			return
		}
		go func() { // ends with the stream
			_, _ = io.Copy(io.Discard, stream.NewReader(ctx, s))
			_ = s.Close()
		}()
	}
}

func TestOpenStreamWaitsAtTheLimit(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		r.serve(&quic.Config{MaxStreams: limit, MaxReceiveStreams: -1})
		client, server := r.dial(nil)
		go finish(r.Context(), server) // ends with the connection
		var held []*quic.Stream
		for range limit {
			s, err := opened(r.Context(), client)
			require.NoError(r, err)
			held = append(held, s)
		}
		enough := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(r.Context(), time.Second, enough)
		defer cancel()
		_, err := client.OpenStream(ctx)
		require.ErrorIs(r, err, enough)
		_, err = client.OpenSendStream(ctx)
		require.ErrorIs(r, err, context.DeadlineExceeded)

		next := make(chan error, 1)
		go func() { // ends when the stream is there
			_, err := client.OpenStream(r.Context())
			next <- err
		}()
		synctest.Wait()
		assert.Empty(r, next)
		require.NoError(r, held[0].Close())
		require.NoError(r, <-next)
	})
}

// Opening is canceled at about the time when the peer allows one more stream:
// before, after and in the very moment (quic-go/quic-go#5659).
func TestACanceledOpenUsesUpNothingOfTheLimit(t *testing.T) {
	type result struct {
		s   *quic.Stream
		err error
	}
	inFakeTime(t, func(r *rig) {
		r.serve(&quic.Config{MaxStreams: limit})
		client, server := r.dial(nil)
		go finish(r.Context(), server) // ends with the connection
		open := func(ctx context.Context) <-chan result {
			opening := make(chan result, 1)
			go func() { // ends with ctx at the latest
				s, err := opened(ctx, client)
				opening <- result{s, err}
			}()
			synctest.Wait()
			return opening
		}
		patient, cancel := context.WithTimeout(r.Context(), time.Hour)
		defer cancel()
		var held []*quic.Stream
		for range limit {
			got := <-open(patient)
			require.NoError(r, got.err)
			held = append(held, got.s)
		}
		canceled := 0
		for i := range 8 * int(delay/time.Millisecond) {
			ctx, cancel := context.WithTimeout(patient, time.Duration(i/2)*time.Millisecond)
			first, second := open(ctx), open(patient)
			require.NoError(r, held[0].Close())
			got := <-first
			if got.err != nil {
				require.ErrorIs(r, got.err, context.DeadlineExceeded)
				require.NoError(r, patient.Err())
				canceled++
			}
			if got.s != nil { // opened, if perhaps too late to say anything on it
				require.NoError(r, got.s.Close())
			}
			got = <-second
			require.NoError(r, got.err)
			held = append(held[1:], got.s)
			cancel()
		}
		assert.NotZero(r, canceled)
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		_, err := client.OpenStream(ctx)
		require.ErrorIs(r, err, context.DeadlineExceeded, "nor has any been won")
	})
}

func TestACanceledSendTellsExactlyWhatWasTaken(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		r.serve(&quic.Config{StreamWindow: 16 << 10})
		client, server := r.dial(nil)
		a, b := r.stream(client, server)
		sent := noise(1, 1<<20)
		rest := sent
		var got []byte
		for len(rest) > 0 {
			n, err := withTimeout(r.Context(), time.Second, func(ctx context.Context) (int, error) { return a.Send(ctx, rest) })
			if err != nil {
				require.ErrorIs(r, err, context.DeadlineExceeded)
				assert.Less(r, n, len(rest))
			}
			rest = rest[n:]
			// All that the peer gets, however long it waits.
			for {
				p := make([]byte, 1+rand.IntN(5000))
				n, err := withTimeout(r.Context(), time.Second, func(ctx context.Context) (int, error) { return b.Receive(ctx, p) })
				if err != nil {
					require.ErrorIs(r, err, context.DeadlineExceeded)
					break
				}
				got = append(got, p[:n]...)
			}
			require.Equal(r, len(sent)-len(rest), len(got))
		}
		assert.True(r, bytes.Equal(sent, got))
	})
}

func withTimeout(ctx context.Context, d time.Duration, f func(context.Context) (int, error)) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return f(ctx)
}

// stalled starts a Send of a that waits for the window of b.
func (r *rig) stalled(a *quic.Stream) <-chan error {
	sending := make(chan error, 1)
	go func() { // ends when the direction does
		_, err := a.Send(r.Context(), noise(1, 64<<10))
		sending <- err
	}()
	r.pass(time.Second)
	require.Empty(r, sending)
	return sending
}

// requireStreamError wants err to be that of a direction that the peer gave up.
func (r *rig) requireStreamError(err error, want *quic.StreamError) {
	r.Helper()
	require.ErrorIs(r, err, stream.ErrBroken)
	require.ErrorIs(r, err, want.Code)
	got, _ := errors.AsType[*quic.StreamError](err)
	if diff := cmp.Diff(want, got); diff != "" {
		r.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

func TestAStalledSendCanBeAborted(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		r.serve(&quic.Config{StreamWindow: 16 << 10})
		client, server := r.dial(nil)
		a, b := r.stream(client, server)
		sending := r.stalled(a)
		require.NoError(r, a.AbortSend(quic.Code(7)))
		require.ErrorIs(r, <-sending, net.ErrClosed)
		r.pass(time.Second)
		want := &quic.StreamError{Stream: idOf(b), Code: 7}
		for range 2 {
			r.requireStreamError(receive(b)(r.Context()), want)
		}
		r.requireExact(b, a) // the other direction
	})
}

func TestAStalledSendEndsWhenThePeerStopsIt(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		r.serve(&quic.Config{StreamWindow: 16 << 10})
		client, server := r.dial(nil)
		a, b := r.stream(client, server)
		sending := r.stalled(a)
		require.NoError(r, b.AbortReceive(quic.Code(8)))
		want := &quic.StreamError{Stream: idOf(b), Code: 8, Stopped: true}
		r.requireStreamError(<-sending, want)
		_, err := a.Send(r.Context(), []byte("x"))
		r.requireStreamError(err, want)
		require.ErrorIs(r, receive(b)(r.Context()), net.ErrClosed)
		r.requireExact(b, a) // the other direction
	})
}

// requireExact wants b to receive what a sends, and the end.
func (r *rig) requireExact(a, b *quic.Stream) {
	r.Helper()
	sent := noise(3, 256<<10)
	var got []byte
	for _, err := range together(r.Context(), say(a, sent), hear(b, &got)) {
		require.NoError(r, err)
	}
	assert.True(r, bytes.Equal(sent, got))
}

func idOf(s *quic.Stream) quic.StreamID {
	id, _ := quic.ID.Lookup(s)
	return id
}

func TestPacketsThatAreTooLongSayHowLongTheyMayBe(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		cfg := &quic.Config{Packets: true}
		r.serve(cfg)
		client, server := r.dial(cfg)
		p := noise(1, 4000)
		err := client.Packets().Send(r.Context(), p)
		tooLong, ok := errors.AsType[*quic.PacketSizeError](err)
		require.True(r, ok, "%v", err)
		assert.Equal(r, len(p), tooLong.Size)
		assert.Greater(r, tooLong.Max, 1000)

		_, ok = errors.AsType[*quic.PacketSizeError](client.Packets().Send(r.Context(), p[:tooLong.Max+1]))
		assert.True(r, ok, "one byte too long")
		require.NoError(r, client.Packets().Send(r.Context(), p[:tooLong.Max]))
		got, err := server.Packets().Receive(r.Context())
		require.NoError(r, err)
		assert.True(r, bytes.Equal(p[:tooLong.Max], got))
	})
}

func TestPacketsNeedAPeerThatTakesThem(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		r.serve(nil)
		client, server := r.dial(&quic.Config{Packets: true})
		require.ErrorIs(r, client.Packets().Send(r.Context(), []byte("x")), errors.ErrUnsupported)
		_, err := server.Packets().Receive(r.Context())
		require.ErrorIs(r, err, errors.ErrUnsupported)
		// The other way round the client has said that it takes them.
		require.NoError(r, server.Packets().Send(r.Context(), []byte("x")))
		_, err = client.Packets().Receive(r.Context())
		require.NoError(r, err)
	})
}
