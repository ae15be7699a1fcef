package tls_test

import (
	"context"
	"testing"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/stream/streamtest"
)

// TestStreams holds the contract over transports with large and small buffers,
// and over TLS itself.
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
					Holds:   400 << 10,
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
				Holds:   400 << 10,
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

// TestStreamsInLockstep holds the contract over a transport without any buffer.
func TestStreamsInLockstep(t *testing.T) {
	for _, v := range versions {
		server, client := bubbleConfigs(t, v.version)
		m := &streamtest.Maker{
			Encodes: true,
			Bubble:  true,
			Holds:   200 << 10,
			Pipe: func(ctx context.Context) (stream.ByteStream, stream.ByteStream, error) {
				a, b := memory.Pipe(&memory.Config{Buffer: -1})
				return both(wrap(ctx, a, b, server, client, nil))
			},
		}
		t.Run(v.name, func(t *testing.T) { streamtest.TestByteStream(t, m) })
	}
}

// TestStreamsOverTCP holds the contract over sockets.
func TestStreamsOverTCP(t *testing.T) {
	for _, v := range versions {
		server, client := usualConfigs(t, v.version)
		t.Run(v.name, func(t *testing.T) {
			streamtest.TestByteStream(t, &streamtest.Maker{
				Encodes: true,
				Pipe: func(ctx context.Context) (stream.ByteStream, stream.ByteStream, error) {
					a, b := loopback(t)
					return both(wrap(ctx, netconn.Wrap(a), netconn.Wrap(b), server, client, nil))
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
