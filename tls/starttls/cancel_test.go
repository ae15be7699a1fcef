package starttls_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/tls/starttls"
)

// errEnough is why the contexts of these tests are canceled.
var errEnough = errors.New("enough")

// requireCanceled requires what a cancel leaves behind: its cause as the error, no
// stream, and a transport that is closed.
func requireCanceled(t *testing.T, s *buffered.Stream, err error, ours stream.ByteStream) {
	t.Helper()
	require.ErrorIs(t, err, errEnough)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "starttls: ")
	require.Nil(t, s)
	_, err = ours.Send(t.Context(), []byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
}

// TestClientCanceledWhileTheServerIsSilentClosesTheConnection has a server say
// nothing more from each point of the dialogue on, and of the handshake as well. The
// bubble ends only when no goroutine is left.
func TestClientCanceledWhileTheServerIsSilentClosesTheConnection(t *testing.T) {
	for _, d := range dialects() {
		t.Run(d.name, func(t *testing.T) {
			steps := d.whole()
			for at, next := range steps {
				sizes := []int{0}
				if next.server { // it begins its flight, which has about 800 bytes
					sizes = []int{0, 1, 5, 6, 127, 128, 500}
				}
				for _, size := range sizes {
					synctest.Test(t, func(t *testing.T) { cancelInSilence(t, d, steps[:at], next.server, size) })
				}
			}
		})
	}
}

// cancelInSilence cancels a client once it waits for a server that has done the steps
// and, if it is to begin the handshake, has sent a number of bytes of that.
func cancelInSilence(t *testing.T, d dialect, steps []step, handshake bool, size int) {
	serverConfig, clientConfig := bubbleConfigs(t)
	ours, theirs := memory.Pipe(nil)
	silent, quit := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		conn, err := perform(silent, theirs, steps, serverConfig)
		if err == nil && handshake {
			_, _ = tls.WrapServer(silent, &faltering{stream.Wrapper{ByteStream: conn}, size}, serverConfig, nil)
		}
		left <- err
	}()
	ctx, cancel := context.WithCancelCause(t.Context())
	var s *buffered.Stream
	done := make(chan error, 1)
	go func() {
		var err error
		s, err = d.client(starttls.Required, clientConfig, starttls.Limits{})(ctx, ours)
		done <- err
	}()
	synctest.Wait()
	require.Empty(t, done, "the client waits")
	cancel(errEnough)
	requireCanceled(t, s, <-done, ours)
	quit()
	require.NoError(t, <-left)
	_ = theirs.Close()
}

// A faltering transport sends a number of bytes and then none.
type faltering struct {
	stream.Wrapper
	left int
}

func (f *faltering) Send(ctx context.Context, p []byte) (int, error) {
	n, err := f.ByteStream.Send(ctx, p[:min(len(p), f.left)])
	f.left -= n
	if err != nil || n == len(p) {
		return n, err
	}
	<-ctx.Done()
	return n, stream.ContextError(ctx)
}

// TestClientCanceledAtAnyCallClosesTheConnection cancels at each call that a client makes
// to its transport, in the dialogue, in the handshake and after it.
func TestClientCanceledAtAnyCallClosesTheConnection(t *testing.T) {
	for _, d := range dialects() {
		t.Run(d.name, func(t *testing.T) {
			cancelAtEveryCall(t, func(server, client *tls.Config) (negotiator, func(context.Context, stream.ByteStream)) {
				peer := func(ctx context.Context, conn stream.ByteStream) { recite(ctx, conn, d.whole(), server) }
				return d.client(starttls.Required, client, starttls.Limits{}), peer
			})
		})
	}
}

func TestServerCanceledAtAnyCallClosesTheConnection(t *testing.T) {
	for _, s := range services() {
		t.Run(s.name, func(t *testing.T) {
			cancelAtEveryCall(t, func(server, client *tls.Config) (negotiator, func(context.Context, stream.ByteStream)) {
				peer := func(ctx context.Context, conn stream.ByteStream) {
					if got, err := s.client(client)(ctx, conn); err == nil {
						rest(ctx, got)
						got.Close()
					}
				}
				return s.server(starttls.Required, server, false), peer
			})
		})
	}
}

// cancelAtEveryCall has a side and its peer meet as often as the side makes calls.
func cancelAtEveryCall(t *testing.T, meet func(server, client *tls.Config) (negotiator, func(context.Context, stream.ByteStream))) {
	t.Helper()
	for at, canceled := 1, true; canceled; at++ {
		synctest.Test(t, func(t *testing.T) {
			side, peer := meet(bubbleConfigs(t))
			ours, theirs := memory.Pipe(nil)
			left := make(chan struct{})
			go func() {
				defer close(left)
				peer(t.Context(), theirs)
			}()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			conn := &impetuous{Wrapper: stream.Wrapper{ByteStream: ours}, zero: func() { cancel(errEnough) }}
			conn.left.Store(int32(at))
			s, err := side(ctx, conn)
			canceled = ctx.Err() != nil
			if err == nil {
				requireTLS(t, s)
				require.NoError(t, s.Close())
			} else {
				requireCanceled(t, s, err, ours)
			}
			<-left
			require.True(t, canceled || at > 4, "it makes more calls than %d", at)
		})
	}
}

// An impetuous transport calls zero in the call with the given number.
type impetuous struct {
	stream.Wrapper
	left atomic.Int32
	zero func()
}

func (s *impetuous) count() {
	if s.left.Add(-1) == 0 {
		s.zero()
	}
}

func (s *impetuous) Send(ctx context.Context, p []byte) (int, error) {
	s.count()
	return s.ByteStream.Send(ctx, p)
}

func (s *impetuous) Receive(ctx context.Context, p []byte) (int, error) {
	s.count()
	return s.ByteStream.Receive(ctx, p)
}
