package quic_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testnet"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
)

// patience is how long what was sent has to arrive: three probe timeouts over a
// path whose round trip has always been the same, or nearly so.
const patience = 3 * (2*delay + 25*time.Millisecond)

// between wants d to be no less than patience, and little more: the handshake
// leaves some variation.
func between(r *rig, d time.Duration) {
	r.Helper()
	assert.GreaterOrEqual(r, d, patience)
	assert.Less(r, d, patience+12*2*delay)
}

// served starts a server with one stream, accepted from Streams.
func (r *rig) served() (client, server *quic.Conn, a, b *quic.Stream) {
	r.Helper()
	r.serve(nil)
	client, server = r.dial(nil)
	a, err := client.OpenStream(r.Context())
	require.NoError(r, err)
	_, err = a.Send(r.Context(), []byte("!"))
	require.NoError(r, err)
	b, err = server.Streams().Accept(r.Context())
	require.NoError(r, err)
	return client, server, a, b
}

// What ends a connection once its streams are closed, and leaves what was sent
// the time to arrive, though it is lost once; and what does not, for comparison.
func TestWhatWasSentArrivesBeforeTheConnectionEnds(t *testing.T) {
	tests := []struct {
		name    string
		end     func(ctx context.Context, c *quic.Conn) error
		arrives bool
	}{
		{"Shutdown", func(ctx context.Context, c *quic.Conn) error { return c.Shutdown(ctx) }, true},
		{"Streams.Close", func(_ context.Context, c *quic.Conn) error { return c.Streams().Close() }, true},
		{"Close", func(_ context.Context, c *quic.Conn) error { return c.Close() }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inFakeTime(t, func(r *rig) {
				client, server, a, b := r.served()
				answer := noise(1, 5_000)
				r.vanish()
				_, err := b.Send(r.Context(), answer)
				require.NoError(r, err)
				require.NoError(r, b.Close())
				synctest.Wait()
				r.faults(testnet.Faults{})
				ended := make(chan error, 1)
				start := time.Now()
				go func() { ended <- tt.end(r.Context(), server) }()
				got, err := io.ReadAll(stream.NewReader(r.Context(), a))
				if !tt.arrives {
					require.ErrorIs(r, err, stream.ErrBroken)
					require.NoError(r, <-ended)
					return
				}
				require.NoError(r, err)
				assert.Equal(r, answer, got)
				require.NoError(r, <-ended)
				_, err = client.AcceptStream(r.Context())
				_, ok := errors.AsType[*quic.ApplicationError](err)
				require.True(r, ok, "%v", err)
				between(r, time.Since(start)-delay)
			})
		})
	}
}

func TestStreamsThatNobodyWillAcceptAreReset(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		client, server, _, b := r.served() // b keeps the connection alive
		defer b.Close()
		require.NoError(r, server.Streams().Close())
		late, err := client.OpenStream(r.Context())
		require.NoError(r, err)
		_, err = late.Send(r.Context(), []byte("too late"))
		require.NoError(r, err)
		err = receive(late)(r.Context())
		requireBroken(r, err, quic.Code(0))
		_, ok := errors.AsType[*quic.StreamError](err)
		assert.True(r, ok, "%v", err)
	})
}

// A program that serves streams may exit when Shutdown has returned.
func TestShutdownOfAListenerWaitsForItsConnections(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		r.serve(nil)
		flat := quic.NewStreamListener(r.listener, nil)
		client, err := r.client.Dial(r.Context(), r.addr(), r.tls[1], nil)
		require.NoError(r, err)
		a, err := client.OpenStream(r.Context())
		require.NoError(r, err)
		_, err = a.Send(r.Context(), []byte("!"))
		require.NoError(r, err)
		b, err := flat.Accept(r.Context())
		require.NoError(r, err)
		require.NoError(r, flat.Close())
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		require.ErrorIs(r, r.listener.Shutdown(ctx), context.DeadlineExceeded)
		_, err = b.Send(r.Context(), []byte("answer"))
		require.NoError(r, err, "and leaves it as it is")
		require.NoError(r, b.Close())
		start := time.Now()
		require.NoError(r, r.listener.Shutdown(r.Context()))
		between(r, time.Since(start))
		require.NoError(r, r.server.Close()) // the program exits
		_, err = client.AcceptStream(r.Context())
		require.ErrorIs(r, err, quic.Code(0), "it was told")
	})
}

func TestShutdownWaitsForStreamsAndRefusesNewOnes(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		client, server, a, b := r.served()
		ended := make(chan error, 1)
		go func() { ended <- server.Shutdown(r.Context()) }()
		r.pass(time.Second)
		assert.Empty(r, ended)
		late, err := client.OpenStream(r.Context())
		require.NoError(r, err)
		_, err = late.Send(r.Context(), []byte("!"))
		require.NoError(r, err)
		requireBroken(r, receive(late)(r.Context()), quic.Code(0))
		_, err = b.Send(r.Context(), []byte("still here"))
		require.NoError(r, err)
		require.NoError(r, receive(a)(r.Context()))
		require.NoError(r, b.Close())
		start := time.Now()
		require.NoError(r, <-ended)
		between(r, time.Since(start))
		require.NoError(r, server.Shutdown(r.Context()), "again")
	})
}

func TestShutdownIsOverAtOnceWhenThePeerCloses(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		client, server, _, _ := r.served()
		ended := make(chan error, 1)
		go func() { ended <- server.Shutdown(r.Context()) }()
		synctest.Wait()
		start := time.Now()
		require.NoError(r, client.Abort(quic.Code(7)))
		require.NoError(r, <-ended)
		assert.Equal(r, delay, time.Since(start))
	})
}

func TestShutdownTellsWhyItCutThingsOff(t *testing.T) {
	t.Run("the context", func(t *testing.T) {
		inFakeTime(t, func(r *rig) {
			client, server, _, _ := r.served()
			enough := errors.New("enough")
			ctx, cancel := context.WithTimeoutCause(r.Context(), time.Second, enough)
			defer cancel()
			start := time.Now()
			require.ErrorIs(r, server.Shutdown(ctx), enough)
			assert.Equal(r, time.Second, time.Since(start))
			_, err := client.AcceptStream(r.Context())
			require.ErrorIs(r, err, stream.ErrBroken, "it is closed all the same")
			require.ErrorIs(r, server.Shutdown(ctx), enough, "as of every call")
		})
	})
	t.Run("the connection", func(t *testing.T) {
		inFakeTime(t, func(r *rig) {
			_, server, _, _ := r.served()
			r.vanish()
			err := server.Shutdown(r.Context())
			requireBroken(r, err, quic.ErrIdleTimeout)
		})
	})
}

func TestOnEndIsToldWhyAConnectionHasEnded(t *testing.T) {
	type end struct {
		c   *quic.Conn
		err error
	}
	inFakeTime(t, func(r *rig) {
		r.serve(nil)
		ended := make(chan end, 8)
		flat := quic.NewStreamListener(r.listener, &quic.StreamsConfig{
			OnEnd: func(c *quic.Conn, err error) { ended <- end{c, err} },
		})
		accept := func() *quic.Conn {
			client, err := r.client.Dial(r.Context(), r.addr(), r.tls[1], nil)
			require.NoError(r, err)
			s, err := client.OpenStream(r.Context())
			require.NoError(r, err)
			_, err = s.Send(r.Context(), []byte("!"))
			require.NoError(r, err)
			_, err = flat.Accept(r.Context())
			require.NoError(r, err)
			return client
		}
		require.NoError(r, accept().Abort(quic.Code(7)))
		got := <-ended
		requireBroken(r, got.err, quic.Code(7))
		require.ErrorIs(r, got.c.Handshake(r.Context()), quic.Code(7), "it is that one's")

		after := accept()
		require.NoError(r, flat.Close())
		require.NoError(r, after.Abort(quic.Code(8)))
		r.pass(time.Second)
		assert.Empty(r, ended, "after Close nobody wants to know")
	})
}
