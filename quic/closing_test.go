package quic_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testnet"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
)

// Whatever ends a transfer, and whenever: who receives gets the whole and the
// end, or a part and an error. A part with a clean end is never among it.
func TestAPartIsNeverTakenForTheWhole(t *testing.T) {
	ends := []struct {
		name string
		end  func(r *rig, c *quic.Conn, s *quic.Stream) error
	}{
		{"the connection is closed", func(_ *rig, c *quic.Conn, _ *quic.Stream) error { return c.Close() }},
		{"the connection is aborted", func(_ *rig, c *quic.Conn, _ *quic.Stream) error { return c.Abort(quic.Code(1)) }},
		{"the stream is closed", func(_ *rig, _ *quic.Conn, s *quic.Stream) error { return s.Close() }},
		{"the stream is aborted", func(_ *rig, _ *quic.Conn, s *quic.Stream) error { return s.Abort(quic.Code(1)) }},
		{"the transport is closed", func(r *rig, _ *quic.Conn, _ *quic.Stream) error { return r.server.Close() }},
		{"the sender vanishes", func(r *rig, _ *quic.Conn, _ *quic.Stream) error { r.vanish(); return nil }},
	}
	networks := [2]testnet.Faults{{}, {Loss: 0.1, Jitter: delay, Duplicate: 0.1}}
	for _, tt := range ends {
		t.Run(tt.name, func(t *testing.T) {
			inFakeTime(t, func(r *rig) {
				outcomes := map[bool]int{}
				after := time.Millisecond // when sending has begun
				for i := range 16 {
					outcomes[r.cutOff(tt.end, after, networks[i%2])]++
					after += after/2 + time.Millisecond
				}
				assert.NotZero(r, outcomes[true], "the whole")
				assert.NotZero(r, outcomes[false], "a part")
			})
		})
	}
}

// cutOff ends a transfer from the server after some time, and reports whether
// all of it came through.
func (r *rig) cutOff(end func(*rig, *quic.Conn, *quic.Stream) error, after time.Duration, f testnet.Faults) bool {
	r.Helper()
	r.faults(testnet.Faults{})
	r.serve(nil)
	client, server := r.dial(nil)
	a, b := r.stream(client, server)
	r.faults(f)
	whole := noise(1, 100<<10)
	var got []byte
	errs := together(r.Context(), say(b, whole), hear(a, &got), func(context.Context) error {
		r.pass(after)
		return end(r, server, b)
	})
	require.NoError(r, errs[2])
	require.NoError(r, r.server.Close())
	require.True(r, bytes.HasPrefix(whole, got))
	if errs[1] == nil {
		require.Len(r, got, len(whole), "after %v a clean end", after)
		return true
	}
	require.ErrorIs(r, errs[1], stream.ErrBroken)
	require.NotErrorIs(r, errs[1], io.EOF)
	return false
}

// The text is the caller's, and may be as long as errors get.
func TestLongReasonForAnAbortDoesNotKeepItFromThePeer(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		r.serve(nil)
		client, server := r.dial(nil)
		reason := strings.Repeat("€", 10_000)
		require.NoError(r, client.Abort(&quic.ApplicationError{Code: 7, Reason: reason}))
		_, err := server.AcceptStream(r.Context())
		closed, ok := errors.AsType[*quic.ApplicationError](err)
		require.True(r, ok, "%v", err)
		assert.Equal(r, quic.Code(7), closed.Code)
		assert.True(r, strings.HasPrefix(reason, closed.Reason), "%q", closed.Reason)
		assert.InDelta(r, 256, len(closed.Reason), 3, "whole characters")
	})
}
