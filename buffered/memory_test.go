package buffered_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/buffered"
)

func TestAStreamThatWaitsHoldsNoBuffer(t *testing.T) {
	for name, f := range map[string]func(context.Context, *buffered.Stream) error{
		"ReceiveUntil": func(ctx context.Context, s *buffered.Stream) error {
			_, err := s.ReceiveUntil(ctx, []byte("\n"), 0)
			return err
		},
		"Peek": func(ctx context.Context, s *buffered.Stream) error {
			_, err := s.Peek(ctx, 1)
			return err
		},
		"Receive": func(ctx context.Context, s *buffered.Stream) error {
			_, err := s.Receive(ctx, make([]byte, 10))
			return err
		},
		"ReceiveExactly": func(ctx context.Context, s *buffered.Stream) error {
			return s.ReceiveExactly(ctx, make([]byte, 1))
		},
		"WaitReceive": func(ctx context.Context, s *buffered.Stream) error {
			return s.WaitReceive(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := pipe(t, nil)
				s := buffered.New(a, nil)
				send(t, b, "line\n")
				_, err := s.ReceiveUntil(t.Context(), []byte("\n"), 0)
				require.NoError(t, err)
				assert.True(t, s.HoldsBuffer(), "the view needs it")
				done := make(chan error)
				go func() { done <- f(t.Context(), s) }() // ends when b sends
				synctest.Wait()
				assert.False(t, s.HoldsBuffer())
				send(t, b, "\n")
				require.NoError(t, <-done)
			})
		})
	}
}

func TestTheBufferGoesWhenReceiveEmptiesIt(t *testing.T) {
	r := buffered.NewReceiver(&script{chunks: []string{"a\nbc"}}, nil)
	_, err := r.ReceiveUntil(t.Context(), []byte("\n"), 0)
	require.NoError(t, err)
	_, err = r.Receive(t.Context(), make([]byte, 2))
	require.NoError(t, err)
	assert.False(t, r.HoldsBuffer())
}

func TestAHugeCountIsNotAllocated(t *testing.T) {
	r := buffered.NewReceiver(&script{chunks: []string{"abc"}}, nil)
	const huge = 1<<31 - 1
	_, err := r.Peek(t.Context(), huge)
	assert.Equal(t, io.ErrUnexpectedEOF, err)
	_, err = r.ReceiveUntil(t.Context(), []byte("\r\n"), huge)
	assert.Equal(t, io.ErrUnexpectedEOF, err)
}
