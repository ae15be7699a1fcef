package stream_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

func TestEnterAnswersInTheOrderOfTheContract(t *testing.T) {
	done, cancel := context.WithCancelCause(t.Context())
	cancel(errCause)
	for _, tt := range []struct {
		name         string
		ctx          context.Context
		closed, busy bool
		want         error
	}{
		{"free", t.Context(), false, false, nil},
		{"busy", t.Context(), false, true, stream.ErrBusy},
		{"closed", t.Context(), true, false, net.ErrClosed},
		{"closed and busy", t.Context(), true, true, net.ErrClosed},
		{"done", done, false, false, errCause},
		{"all", done, true, true, errCause},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var guard structured.Guard
			var closed atomic.Bool
			closed.Store(tt.closed)
			if tt.busy {
				require.NoError(t, guard.Enter())
			}
			err := stream.Enter(tt.ctx, &guard, &closed)
			require.ErrorIs(t, err, tt.want)
			assert.Equal(t, tt.busy || err == nil, guard.Statistics().Entered)
		})
	}
}

func TestNobodyEntersBehindOneWhoClosedInside(t *testing.T) {
	var guard structured.Guard
	var closed atomic.Bool
	require.NoError(t, stream.Enter(t.Context(), &guard, &closed))
	closed.Store(true)
	guard.Leave()
	assert.Equal(t, net.ErrClosed, stream.Enter(t.Context(), &guard, &closed))
}
