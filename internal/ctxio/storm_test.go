package ctxio_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/ctxio"
)

// A storm cancels calls at random instants while bytes flow. Each byte tells
// its place, and every second call has a context that nothing cancels, so
// that whatever an earlier one left behind is seen.

func TestStormOfCancelsLosesNothing(t *testing.T) {
	defer ctxio.SlowCallbacks()()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			a, b := kind.pair(t)
			assert.NoError(t, storm(t.Context(), wrap(t, a), wrap(t, b), 12_000))
		})
	}
}

func TestGenerationsAloneKeepLateCallbacksOut(t *testing.T) {
	defer ctxio.SlowCallbacks()()
	defer ctxio.NoRetry()()
	a, b := tcpPair(t)
	assert.NoError(t, storm(t.Context(), wrap(t, a), wrap(t, b), 12_000))
}

func TestStormFindsCallbacksThatComeLate(t *testing.T) {
	defer ctxio.SlowCallbacks()()
	defer ctxio.PlantFaults()()
	const rounds = 500 // most find them in the first
	for range rounds {
		a, b := tcpPair(t)
		s, r := wrap(t, a), wrap(t, b)
		err := storm(t.Context(), s, r, 12_000)
		_, _ = s.Close(), r.Close()
		if err != nil {
			assert.ErrorContains(t, err, "timeout")
			return
		}
	}
	t.Errorf("%d storms did not notice the faults", rounds)
}

// storm makes ops calls on either side.
func storm(ctx context.Context, s, r *ctxio.Conn, ops int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var total atomic.Int64 // of bytes, once it is known
	failed := make(chan error, 1)
	go func() {
		err := stormOfSends(ctx, s, ops, &total)
		if err != nil {
			cancel(err) // or the receiver would wait for what never comes
		}
		failed <- err
	}()
	err := stormOfReceives(ctx, r, ops, &total)
	if err != nil {
		cancel(err)
	}
	return errors.Join(err, <-failed)
}

// stormOfSends sends one byte more at the end, when it has said how many they
// are, so that the receiver does not wait for another.
func stormOfSends(ctx context.Context, s *ctxio.Conn, ops int, total *atomic.Int64) error {
	buf := make([]byte, 256)
	sent := 0
	for i := range ops {
		p := buf[:1+rand.IntN(len(buf))]
		for j := range p {
			p[j] = byte(sent + j)
		}
		cctx, stop := stormContext(ctx, i)
		n, err := s.Send(cctx, p)
		stop()
		sent += n
		if err = unexpected(ctx, cctx, err); err != nil {
			return fmt.Errorf("send %d: %w", i, err)
		}
	}
	total.Store(int64(sent) + 1)
	_, err := s.Send(ctx, []byte{byte(sent)})
	return err
}

func stormOfReceives(ctx context.Context, r *ctxio.Conn, ops int, total *atomic.Int64) error {
	buf := make([]byte, 256)
	received := int64(0)
	for i := 0; received == 0 || received != total.Load(); i++ {
		cctx, stop := stormContext(ctx, i)
		n, err := r.Receive(cctx, buf[:1+rand.IntN(len(buf))])
		stop()
		for _, b := range buf[:n] {
			if b != byte(received) {
				return fmt.Errorf("byte %d is %d", received, b)
			}
			received++
		}
		if err = unexpected(ctx, cctx, err); err != nil {
			return fmt.Errorf("receive %d: %w", i, err)
		}
	}
	return nil
}

// stormContext is ctx itself for every second call.
func stormContext(ctx context.Context, i int) (context.Context, context.CancelFunc) {
	if i%2 == 0 {
		return ctx, func() {}
	}
	return cancelSoon(ctx, rand.IntN(12))
}

// unexpected returns err unless it is that cctx alone was canceled.
func unexpected(ctx, cctx context.Context, err error) error {
	if ctx.Err() == nil && cctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func TestLateCallbackDoesNotReachTheNextCall(t *testing.T) {
	s, r := lateCallback(t)
	n, err := receiveOne(s, r)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
}

func TestLateCallbackIsFoundByTheTestAboveWithoutItsGuards(t *testing.T) {
	defer ctxio.PlantFaults()()
	s, r := lateCallback(t)
	_, err := receiveOne(s, r)
	require.ErrorContains(t, err, "timeout")
}

// lateCallback returns a connection whose receiver has parked and returned,
// and whose callback came after that.
func lateCallback(t *testing.T) (s net.Conn, r *ctxio.Conn) {
	t.Helper()
	s, b := tcpPair(t)
	r = wrap(t, b)
	ctx, cancel := cancelSoon(t.Context(), 100)
	defer cancel()
	_, err := r.Receive(ctx, make([]byte, 1))
	require.ErrorIs(t, err, context.Canceled)
	r.FireLate()
	return s, r
}

func receiveOne(s net.Conn, r *ctxio.Conn) (int, error) {
	if _, err := s.Write([]byte("x")); err != nil {
		return 0, err
	}
	return r.Receive(background, make([]byte, 1))
}
