package quic_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testnet"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
)

// A peer that is gone: silent, restarted, or closed.

// requireBroken wants err to be the failure of a connection, and no clean end.
func requireBroken(r *rig, err, cause error) {
	r.Helper()
	require.ErrorIs(r, err, stream.ErrBroken)
	require.ErrorIs(r, err, cause)
	require.NotErrorIs(r, err, io.EOF)
}

func TestIdleTimeoutIsAnErrorOnBothSides(t *testing.T) {
	tests := []struct {
		name           string
		client, server *quic.Config
		after          time.Duration
	}{
		{"the default", nil, nil, 30 * time.Second},
		{"the client's", &quic.Config{IdleTimeout: 5 * time.Second}, nil, 5 * time.Second},
		{"the server's", nil, &quic.Config{IdleTimeout: 5 * time.Second}, 5 * time.Second},
		{"the server's alone", &quic.Config{IdleTimeout: -1}, nil, 30 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inFakeTime(t, func(r *rig) {
				r.serve(tt.server)
				client, server := r.dial(tt.client)
				_, limited := quic.IdleTimeout.Lookup(client)
				assert.Equal(r, tt.client == nil || tt.client.IdleTimeout > 0, limited)
				a, b := r.stream(client, server)
				r.pass(time.Second) // for acknowledgments
				r.vanish()
				start := time.Now()
				var took [4]time.Duration
				calls := []func(context.Context) error{
					receive(a), receive(b),
					func(ctx context.Context) error { _, err := client.AcceptStream(ctx); return err },
					func(ctx context.Context) error { _, err := server.AcceptStream(ctx); return err },
				}
				for i, call := range calls {
					calls[i] = func(ctx context.Context) error {
						defer func() { took[i] = time.Since(start) }()
						return call(ctx)
					}
				}
				for i, err := range together(r.Context(), calls...) {
					requireBroken(r, err, quic.ErrIdleTimeout)
					assert.True(r, isTimeout(err))
					// It counts from the last packet, which was within the second.
					assert.Greater(r, took[i], tt.after-time.Second-delay)
					assert.LessOrEqual(r, took[i], tt.after)
				}
				_, err := a.Send(r.Context(), []byte("x"))
				requireBroken(r, err, quic.ErrIdleTimeout)
				_, err = client.OpenStream(r.Context())
				requireBroken(r, err, quic.ErrIdleTimeout)
			})
		})
	}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && timeout.Timeout()
}

func TestKeepAliveKeepsAnIdleConnection(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		r.serve(nil)
		client, server := r.dial(&quic.Config{KeepAlive: 10 * time.Second})
		a, b := r.stream(client, server)
		r.pass(time.Hour)
		_, err := a.Send(r.Context(), []byte("still there"))
		require.NoError(r, err)
		require.NoError(r, receive(b)(r.Context()))
	})
}

func TestAServerThatVanishesIsNoticedWhileSending(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		r.serve(&quic.Config{StreamWindow: 64 << 10})
		client, server := r.dial(nil)
		a, _ := r.stream(client, server)
		r.vanish()
		start := time.Now()
		n, err := a.Send(r.Context(), noise(1, 1<<20))
		requireBroken(r, err, quic.ErrIdleTimeout)
		assert.Positive(r, n, "QUIC has taken what it had room for")
		assert.Less(r, n, 1<<20)
		assert.Less(r, time.Since(start), 31*time.Second)
	})
}

// A restarted server has forgotten the connection. With the key that it had
// before it can say so.
func TestARestartedServerIsNoticedAtOnce(t *testing.T) {
	key := &[32]byte{1, 2, 3}
	tests := []struct {
		name   string
		before *[32]byte
		after  *[32]byte
		want   error
		within time.Duration
	}{
		{"the same key", key, key, quic.ErrStatelessReset, 10 * delay},
		{"another key", key, &[32]byte{4}, quic.ErrIdleTimeout, 31 * time.Second},
		{"no key", nil, nil, quic.ErrIdleTimeout, 31 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inFakeTime(t, func(r *rig) {
				r.serve(&quic.Config{Transport: quic.TransportConfig{ResetKey: tt.before}})
				client, server := r.dial(nil)
				a, _ := r.stream(client, server)
				r.pass(time.Second) // for acknowledgments
				r.vanish()          // or the server would say goodbye
				require.NoError(r, r.server.Close())
				r.faults(testnet.Faults{})
				r.serve(&quic.Config{Transport: quic.TransportConfig{ResetKey: tt.after}})

				start := time.Now()
				// A reset is no answer to a packet that might be one itself.
				_, err := a.Send(r.Context(), noise(1, 100))
				require.NoError(r, err)
				requireBroken(r, receive(a)(r.Context()), tt.want)
				assert.LessOrEqual(r, time.Since(start), tt.within)

				r.dial(nil) // and a new connection works
			})
		})
	}
}

func TestTheReasonForClosingReachesTheOtherSide(t *testing.T) {
	tests := []struct {
		name  string
		close func(*quic.Conn) error
		want  *quic.ApplicationError
	}{
		{"Close", (*quic.Conn).Close, &quic.ApplicationError{}},
		{
			"Abort", func(c *quic.Conn) error { return c.Abort(fmt.Errorf("enough: %w", quic.Code(7))) },
			&quic.ApplicationError{Code: 7}, // what an error says may be nobody else's business
		},
		{
			"Abort with a reason", func(c *quic.Conn) error {
				return c.Abort(fmt.Errorf("enough: %w", &quic.ApplicationError{Code: 7, Reason: "go away"}))
			},
			&quic.ApplicationError{Code: 7, Reason: "go away"},
		},
	}
	for _, tt := range tests {
		for _, side := range []string{"client", "server"} {
			t.Run(tt.name+" of the "+side, func(t *testing.T) {
				inFakeTime(t, func(r *rig) {
					r.serve(nil)
					client, server := r.dial(nil)
					a, b := r.stream(client, server)
					closes, other, ours, theirs := client, server, a, b
					if side == "server" {
						closes, other, ours, theirs = server, client, b, a
					}
					require.NoError(r, tt.close(closes))
					require.ErrorIs(r, receive(ours)(r.Context()), net.ErrClosed)

					err := receive(theirs)(r.Context())
					requireBroken(r, err, tt.want.Code)
					got, ok := errors.AsType[*quic.ApplicationError](err)
					require.True(r, ok, "%v", err)
					assert.Equal(r, tt.want, got)
					_, err = other.OpenStream(r.Context())
					requireBroken(r, err, tt.want.Code)
				})
			})
		}
	}
}
