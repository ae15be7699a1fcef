package quic_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testnet"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
)

// impatient runs a call with a context that may end before, after or in the
// very moment in which the call is done. It returns nil for a cancellation.
func impatient(ctx context.Context, dice *rand.Rand, call func(context.Context) error) error {
	if dice.IntN(4) == 0 {
		return call(ctx) // which an earlier cancellation must not end
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(dice.IntN(30))*time.Millisecond)
	defer cancel()
	err := call(ctx)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		return nil
	}
	return err
}

// stormySay is say with many a cancellation.
func stormySay(dice *rand.Rand, s stream.ByteStream, p []byte) func(context.Context) error {
	return func(ctx context.Context) error {
		for len(p) > 0 {
			err := impatient(ctx, dice, func(ctx context.Context) error {
				n, err := s.Send(ctx, p[:min(len(p), 1+dice.IntN(20000))])
				p = p[n:]
				return err
			})
			if err != nil {
				return err
			}
		}
		return s.SendEOF(ctx)
	}
}

// stormyHear is hear with many a cancellation.
func stormyHear(dice *rand.Rand, s stream.ByteReceiver, all *[]byte) func(context.Context) error {
	return func(ctx context.Context) error {
		p := make([]byte, 5000)
		for {
			err := impatient(ctx, dice, func(ctx context.Context) error {
				n, err := s.Receive(ctx, p[:1+dice.IntN(len(p))])
				*all = append(*all, p[:n]...)
				return err
			})
			if err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
}

// stormOfCancels sends both ways on several streams at once, and tells the
// first difference between what was sent and what was received.
func stormOfCancels(r *rig, wrap func(*quic.Stream) stream.ByteStream) error {
	r.serve(&quic.Config{StreamWindow: 32 << 10})
	client, server := r.dial(nil)
	var calls []func(context.Context) error
	var check []func() error
	for i := range uint64(3) {
		a, b := r.stream(client, server)
		for j, way := range [][2]stream.ByteStream{{wrap(a), wrap(b)}, {wrap(b), wrap(a)}} {
			seed := 2*i + uint64(j)
			sent, got := noise(seed, 200<<10), new([]byte)
			calls = append(calls,
				stormySay(rand.New(rand.NewPCG(seed, 0)), way[0], sent),
				stormyHear(rand.New(rand.NewPCG(seed, 1)), way[1], got))
			check = append(check, func() error { return differ(sent, *got) })
		}
	}
	errs := together(r.Context(), calls...)
	for _, f := range check {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// differ is an error if what was received is not what was sent.
func differ(sent, got []byte) error {
	if bytes.Equal(sent, got) {
		return nil
	}
	return fmt.Errorf("sent %d bytes, received %d", len(sent), len(got))
}

func TestNoByteIsLostInAStormOfCancels(t *testing.T) {
	for _, faults := range []testnet.Faults{{}, {Loss: 0.05, Duplicate: 0.05, Jitter: delay}} {
		inFakeTime(t, func(r *rig) {
			r.faults(faults)
			require.NoError(r, stormOfCancels(r, func(s *quic.Stream) stream.ByteStream { return s }))
		})
	}
}

func TestTheStormNoticesABadStream(t *testing.T) {
	faults := map[string]func(*quic.Stream) stream.ByteStream{
		"a canceled Receive loses bytes":         func(s *quic.Stream) stream.ByteStream { return forgetful{s} },
		"a canceled Send tells less than it did": func(s *quic.Stream) stream.ByteStream { return modest{s} },
	}
	for name, wrap := range faults {
		t.Run(name, func(t *testing.T) {
			inFakeTime(t, func(r *rig) { assert.Error(r, stormOfCancels(r, wrap)) })
		})
	}
}

// A forgetful stream takes bytes when a Receive is canceled.
type forgetful struct{ *quic.Stream }

func (s forgetful) Receive(ctx context.Context, p []byte) (int, error) {
	n, err := s.Stream.Receive(ctx, p)
	if ctx.Err() != nil && err != io.EOF {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Millisecond)
		defer cancel()
		_, _ = s.Stream.Receive(ctx, make([]byte, 10)) // nobody ever sees them
	}
	return n, err
}

// A modest stream does not count the last byte of a Send that was canceled.
type modest struct{ *quic.Stream }

func (s modest) Send(ctx context.Context, p []byte) (int, error) {
	n, err := s.Stream.Send(ctx, p)
	if err != nil {
		n = max(n-1, 0)
	}
	return n, err
}
