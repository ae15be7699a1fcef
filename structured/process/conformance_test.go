//go:build unix

package process_test

import (
	"context"
	"testing"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/structured/process"
)

func TestStreamsConform(t *testing.T) {
	streamtest.TestOneWay(t, &streamtest.OneWayMaker{
		Pipe: func(context.Context) (stream.ByteSender, stream.ByteReceiver, error) {
			return process.Streams()
		},
		NoWaitReceive: true,
	})
}

func TestStreamsConformThroughAProcess(t *testing.T) {
	streamtest.TestOneWay(t, &streamtest.OneWayMaker{
		Pipe: func(ctx context.Context) (stream.ByteSender, stream.ByteReceiver, error) {
			p, err := process.Open(ctx, process.Cmd{Args: []string{"cat"}, Stderr: process.Discard})
			if err != nil {
				return nil, nil, err
			}
			return p.Stdin(), p.Stdout(), nil // whose end is that of cat
		},
		NoWaitReceive: true,
	})
}
