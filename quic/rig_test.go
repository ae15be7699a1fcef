package quic_test

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testnet"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// A rig is a client and a server on a network in memory, in fake time. A packet
// takes delay to the other side.
type rig struct {
	*testing.T
	net            testnet.Switch
	tls            [2]*tls.Config // the server's and the client's
	socket         *testnet.Socket
	client, server *quic.Transport
	listener       *quic.Listener
}

const (
	delay = 10 * time.Millisecond
	port  = 443
)

// inFakeTime runs a test in a bubble of its own, with a rig whose client is up.
func inFakeTime(t *testing.T, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ca, err := testpki.New(time.Now())
		require.NoError(t, err)
		cert, err := ca.Issue(testpki.Server)
		require.NoError(t, err)
		protos := []string{"strata-test"}
		r := &rig{T: t, tls: [2]*tls.Config{
			{Certificates: []tls.Certificate{cert}, NextProtos: protos},
			{RootCAs: ca.Pool(), ServerName: "localhost", NextProtos: protos},
		}}
		r.faults(testnet.Faults{})
		r.socket, err = r.net.Listen(0)
		require.NoError(t, err)
		r.client = quic.Wrap(r.socket, nil)
		t.Cleanup(func() { assert.NoError(t, r.client.Close()) })
		test(r)
	})
}

// faults sets those of the network, beside the delay.
func (r *rig) faults(f testnet.Faults) {
	f.Delay = delay
	r.net.SetFaults(f)
}

// vanish has each side vanish for the other.
func (r *rig) vanish() { r.faults(testnet.Faults{Loss: 1}) }

// serve starts the server.
func (r *rig) serve(cfg *quic.Config) {
	r.Helper()
	socket, err := r.net.Listen(port)
	require.NoError(r, err)
	var own quic.TransportConfig
	if cfg != nil {
		own = cfg.Transport
	}
	t := quic.Wrap(socket, &own)
	r.Cleanup(func() { assert.NoError(r, t.Close()) })
	r.server = t
	r.listener, err = t.Listen(r.Context(), r.tls[0], cfg)
	require.NoError(r, err)
}

func (r *rig) addr() *net.UDPAddr {
	return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
}

// dial connects the client to the server.
func (r *rig) dial(cfg *quic.Config) (client, server *quic.Conn) {
	r.Helper()
	client, err := r.client.Dial(r.Context(), r.addr(), r.tls[1], cfg)
	require.NoError(r, err)
	server, err = r.listener.Accept(r.Context())
	require.NoError(r, err)
	return client, server
}

// stream opens a stream, and accepts it at the server.
func (r *rig) stream(client, server *quic.Conn) (a, b *quic.Stream) {
	r.Helper()
	a, b, err := streams(r.Context(), client, server)
	require.NoError(r, err)
	return a, b
}

// pass lets fake time pass.
func (r *rig) pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in fake time
}

// receive is the error of receiving from s.
func receive(s stream.ByteReceiver) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := s.Receive(ctx, make([]byte, 100))
		return err
	}
}

// together runs calls at once and returns their errors.
func together(ctx context.Context, calls ...func(context.Context) error) []error {
	errs := make([]error, len(calls))
	var g sync.WaitGroup
	for i, call := range calls {
		g.Go(func() { errs[i] = call(ctx) })
	}
	g.Wait()
	return errs
}

// noise returns n bytes that differ with the seed.
func noise(seed uint64, n int) []byte {
	p := make([]byte, n)
	chacha := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = chacha.Read(p) // never fails
	return p
}
