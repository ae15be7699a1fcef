package quic_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testnet"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
)

// badNetworks are what streams have to come through whole.
var badNetworks = []struct {
	name   string
	faults testnet.Faults
	bytes  int
}{
	{"no faults", testnet.Faults{}, 512 << 10},
	{"1% loss", testnet.Faults{Loss: 0.01}, 512 << 10},
	{"20% loss", testnet.Faults{Loss: 0.2}, 128 << 10},
	{"reordering", testnet.Faults{Jitter: 2 * delay}, 512 << 10},
	{"duplicates", testnet.Faults{Duplicate: 0.5}, 512 << 10},
	{"1% loss, reordering, duplicates", testnet.Faults{Loss: 0.01, Jitter: 2 * delay, Duplicate: 0.1}, 256 << 10},
	{"20% loss, reordering, duplicates", testnet.Faults{Loss: 0.2, Jitter: 2 * delay, Duplicate: 0.1}, 128 << 10},
}

func TestStreamsAreExactOverBadNetworks(t *testing.T) {
	for _, tt := range badNetworks {
		t.Run(tt.name, func(t *testing.T) {
			inFakeTime(t, func(r *rig) {
				r.faults(tt.faults)
				r.serve(nil)
				client, server := r.dial(nil)
				a, b := r.stream(client, server)
				up, down := noise(1, tt.bytes), noise(2, tt.bytes)
				var atServer, atClient []byte
				errs := together(r.Context(),
					say(a, up), hear(b, &atServer),
					say(b, down), hear(a, &atClient))
				for _, err := range errs {
					require.NoError(r, err)
				}
				assert.True(r, bytes.Equal(up, atServer))
				assert.True(r, bytes.Equal(down, atClient))

				counts := r.net.Counts()
				assert.Equal(r, tt.faults.Loss > 0, counts.Lost > 0)
				assert.Equal(r, tt.faults.Jitter > 0, counts.Reordered > 0)
				assert.Equal(r, tt.faults.Duplicate > 0, counts.Duplicated > 0)
				stats, err := quic.Stats.Get(client)
				require.NoError(r, err)
				assert.GreaterOrEqual(r, stats.MinRTT, 2*delay)
			})
		})
	}
}

// say sends p and the end.
func say(s stream.ByteStream, p []byte) func(context.Context) error {
	return func(ctx context.Context) error {
		if _, err := s.Send(ctx, p); err != nil {
			return err
		}
		return s.SendEOF(ctx)
	}
}

// hear receives to the end into p.
func hear(s stream.ByteReceiver, p *[]byte) func(context.Context) error {
	return func(ctx context.Context) (err error) {
		*p, err = io.ReadAll(stream.NewReader(ctx, s))
		return err
	}
}

// Packets may be lost, but what arrives is what was sent, and once.
func TestPacketsArriveWholeOrNotAtAll(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		r.faults(testnet.Faults{Loss: 0.2, Jitter: 2 * delay, Duplicate: 0.2})
		cfg := &quic.Config{Packets: true}
		r.serve(cfg)
		client, server := r.dial(cfg)
		const many = 500
		sent := map[string]bool{}
		for i := range many {
			sent[string(noise(uint64(i), 500))] = true
		}
		send := func(ctx context.Context) error {
			for p := range sent {
				if err := client.Packets().Send(ctx, []byte(p)); err != nil {
					return err
				}
			}
			return nil
		}
		var arrived []string
		receive := func(ctx context.Context) error {
			for {
				ctx, cancel := context.WithTimeout(ctx, time.Second) // there are no more
				p, err := server.Packets().Receive(ctx)
				cancel()
				if err != nil {
					return err
				}
				arrived = append(arrived, string(p))
			}
		}
		errs := together(r.Context(), send, receive)
		require.NoError(r, errs[0])
		require.ErrorIs(r, errs[1], context.DeadlineExceeded)
		for _, p := range arrived {
			require.True(r, sent[p], "never sent, or here before")
			delete(sent, p)
		}
		assert.NotEmpty(r, sent, "20% are lost")
		assert.Greater(r, len(arrived), many/2)
	})
}
