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

// A NAT may move a client to another port at any time. The server follows once
// the client has said something from there (RFC 9000 section 9.3).

func TestIdleConnectionsSurviveNATRebinding(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		r.serve(nil)
		client, server := r.dial(nil)
		a, b := r.stream(client, server)
		for range 5 {
			r.pass(10 * time.Second)
			r.socket.Rebind()
			require.NoError(r, pingPong(r.Context(), a, b))
		}
	})
}

// pingPong sends a byte from a to b and another back.
func pingPong(ctx context.Context, a, b *quic.Stream) error {
	for range 2 {
		if _, err := a.Send(ctx, []byte{0}); err != nil {
			return err
		}
		if _, err := b.Receive(ctx, make([]byte, 1)); err != nil {
			return err
		}
		a, b = b, a
	}
	return nil
}

// Over sockets, and in the middle of as much as the path takes.
func TestTransfersSurviveNATRebinding(t *testing.T) {
	ln := listen(t, nil)
	addr, err := quic.LocalAddrPort.Get(ln)
	require.NoError(t, err)
	relay, err := testnet.NewRelay(addr)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, relay.Close()) })
	_, tlsConfig := tlsConfigs(t)
	client, err := quic.Dial(t.Context(), relay.Addr().String(), tlsConfig, nil)
	require.NoError(t, err)
	defer client.Close()
	server, err := ln.Accept(t.Context())
	require.NoError(t, err)
	defer server.Close()
	a, b, err := streams(t.Context(), client, server)
	require.NoError(t, err)

	const size, rebinds = 1 << 20, 2
	up, down := noise(1, size), noise(2, size)
	var atServer bytes.Buffer
	var atClient []byte
	rebind := func(ctx context.Context) error {
		r := stream.NewReader(ctx, b)
		for range rebinds {
			if _, err := io.CopyN(&atServer, r, size/(rebinds+1)); err != nil {
				return err
			}
			if err := relay.Rebind(); err != nil {
				return err
			}
		}
		_, err := io.Copy(&atServer, r)
		return err
	}
	for _, err := range together(t.Context(), say(a, up), rebind, say(b, down), hear(a, &atClient)) {
		require.NoError(t, err)
	}
	assert.True(t, bytes.Equal(up, atServer.Bytes()))
	assert.True(t, bytes.Equal(down, atClient))
}
