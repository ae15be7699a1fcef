package stream_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/stream"
)

// timeout is how net.Error and os.IsTimeout tell a deadline.
type timeout interface{ Timeout() bool }

func TestContextErrorIsNilBeforeTheContextIsDone(t *testing.T) {
	require.NoError(t, stream.ContextError(t.Context()))
}

func TestContextErrorIsTheCauseAndTheError(t *testing.T) {
	deadline := func(cause error) context.Context {
		ctx, cancel := context.WithDeadlineCause(t.Context(), time.Now().Add(-time.Second), cause)
		t.Cleanup(cancel)
		return ctx
	}
	canceled := func(cause error) context.Context {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		return ctx
	}
	for _, tt := range []struct {
		name    string
		ctx     context.Context
		is      []error
		isNot   error
		timeout bool
		text    string
	}{
		{"canceled", canceled(nil), []error{context.Canceled}, context.DeadlineExceeded, false, "context canceled"},
		{"canceled with a cause", canceled(errCause), []error{context.Canceled, errCause}, context.DeadlineExceeded, false, "context canceled: the cause"},
		{"deadline", deadline(nil), []error{context.DeadlineExceeded}, context.Canceled, true, "context deadline exceeded"},
		{"deadline with a cause", deadline(errCause), []error{context.DeadlineExceeded, errCause}, context.Canceled, true, "context deadline exceeded: the cause"},
		{"canceled because of a deadline", canceled(context.DeadlineExceeded), []error{context.Canceled, context.DeadlineExceeded}, os.ErrDeadlineExceeded, true, "context canceled: context deadline exceeded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := stream.ContextError(tt.ctx)
			for _, want := range tt.is {
				require.ErrorIs(t, err, want)
			}
			require.NotErrorIs(t, err, tt.isNot)
			var told timeout
			require.ErrorAs(t, err, &told)
			assert.Equal(t, tt.timeout, told.Timeout())
			assert.Equal(t, tt.timeout, os.IsTimeout(err))
			assert.EqualError(t, err, tt.text)
		})
	}
}

func TestContextErrorKeepsTheFactsOfItsCause(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&os.PathError{Op: "open", Path: "x", Err: errCause})
	cause, ok := errors.AsType[*os.PathError](stream.ContextError(ctx))
	require.True(t, ok)
	assert.Equal(t, "x", cause.Path)
}
