package tls_test

import (
	"context"
	"testing"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

// TestStreams holds the contract over transports with large and small buffers,
// and over TLS itself. Without any buffer SendEOF waits for the peer, which
// the suite does not expect: see TestLockstep.
func TestStreams(t *testing.T) {
	pipes := []struct {
		name string
		cfg  *memory.Config
	}{
		{"buffered", nil},
		{"small", &memory.Config{Buffer: 100}},
	}
	for _, v := range versions {
		server, client := bubbleConfigs(t, v.version)
		for _, pipe := range pipes {
			t.Run(v.name+" "+pipe.name, func(t *testing.T) {
				streamtest.TestByteStream(t, &streamtest.Maker{
					Encodes: true,
					Bubble:  true,
					Pipe: func(ctx context.Context) (stream.ByteStream, stream.ByteStream, error) {
						a, b := memory.Pipe(pipe.cfg)
						return both(wrap(ctx, a, b, server, client, nil))
					},
				})
			})
		}
		t.Run(v.name+" in TLS", func(t *testing.T) {
			streamtest.TestByteStream(t, &streamtest.Maker{
				Encodes: true,
				Bubble:  true,
				Pipe: func(ctx context.Context) (stream.ByteStream, stream.ByteStream, error) {
					a, b := memory.Pipe(nil)
					outerA, outerB, err := wrap(ctx, a, b, server, client, nil)
					if err != nil {
						return nil, nil, err
					}
					return both(wrap(ctx, outerA, outerB, server, client, nil))
				},
			})
		})
	}
}

// both returns what wrap returned as streams.
func both[C stream.ByteStream](a, b C, err error) (stream.ByteStream, stream.ByteStream, error) {
	if err != nil {
		return nil, nil, err
	}
	return a, b, nil
}
