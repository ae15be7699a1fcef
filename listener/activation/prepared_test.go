//go:build unix

package activation_test

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/listener/activation"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
)

// prepared is a listener whose streams begin with a byte from the client, as
// those with TLS or a PROXY header begin with more. It tells of each that it
// waits for, unless begun is nil.
func prepared[S stream.ByteStream](ln stream.Listener[S], begun chan<- struct{}) *listener.Prepared[S, S] {
	return listener.Prepare(ln, func(ctx context.Context, s S) (S, error) {
		if begun != nil {
			begun <- struct{}{}
		}
		_, err := s.Receive(ctx, make([]byte, 1))
		return s, err
	}, nil)
}

// servePrepared is serveAsNew over one listener, prepared.
func servePrepared() error {
	return serveOver(func(handed []activation.Handed) stream.Listener[stream.ByteStream] {
		return prepared(handed[0].Listener.(stream.Listener[stream.ByteStream]), nil)
	})
}

func TestStreamsInPreparationAreServedByThePredecessor(t *testing.T) {
	const waiting = 20
	ctx := soon(t)
	socket, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	require.NoError(t, err)
	addr, _ := tcp.LocalAddr.Lookup(socket)
	begun := make(chan struct{})
	served := make(chan error, 1)
	go func() { served <- listener.Serve(ctx, prepared(socket, begun), greet[*tcp.Conn]("old"), nil) }()
	var early []*tcp.Conn
	for range waiting {
		c, err := tcp.Dial(ctx, addr.String(), nil)
		require.NoError(t, err)
		defer c.Close()
		early = append(early, c)
		<-begun
	}

	cmd := program(t, "serve prepared")
	endSuccessor := withInput(t, cmd)
	successor, err := activation.HandOver(ctx, cmd, activation.Handed{Listener: socket})
	require.NoError(t, err)
	require.NoError(t, socket.Close())
	late, err := tcp.Dial(ctx, addr.String(), nil)
	require.NoError(t, err)
	defer late.Close()
	assert.Equal(t, "new", begin(ctx, t, late))
	for _, c := range early {
		assert.Equal(t, "old", begin(ctx, t, c))
	}
	require.ErrorIs(t, <-served, net.ErrClosed)
	endSuccessor()
	require.NoError(t, successor.Wait(ctx))
}

// begin sends what the server waits for and returns the greeting.
func begin(ctx context.Context, t *testing.T, c *tcp.Conn) string {
	t.Helper()
	_, err := c.Send(ctx, []byte("?"))
	require.NoError(t, err)
	who, err := io.ReadAll(stream.NewReader(ctx, c))
	require.NoError(t, err)
	return string(who)
}
