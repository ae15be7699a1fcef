package quic_test

import (
	"context"
	cryptotls "crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/quic"
)

// A loss is what OnError is told.
type loss struct {
	client netip.AddrPort
	err    error
}

// serveTelling is serve with an OnError.
func (r *rig) serveTelling(cfg quic.Config) <-chan loss {
	r.Helper()
	lost := make(chan loss, 100)
	cfg.OnError = func(client netip.AddrPort, err error) { lost <- loss{client, err} }
	r.serve(&cfg)
	return lost
}

// none wants nobody to have been told of anything, in the bubble's time.
func none(r *rig, lost <-chan loss) {
	r.Helper()
	synctest.Wait()
	assert.Empty(r, lost)
}

func TestOnErrorIsToldWhyAHandshakeFailed(t *testing.T) {
	const noApplicationProtocol, badCertificate, certificateRequired = 0x100 + 120, 0x100 + 42, 0x100 + 116
	tests := []struct {
		name   string
		client func(server, client *cryptotls.Config)
		code   uint64
		remote bool // the client has ended it
		says   string
	}{
		{
			"no protocol in common", func(_, client *cryptotls.Config) { client.NextProtos = []string{"h3", "doq"} },
			noApplicationProtocol, false, "client requested unsupported application protocols",
		},
		{
			"a client that does not trust the server", func(_, client *cryptotls.Config) { client.RootCAs = x509.NewCertPool() },
			badCertificate, true, "",
		},
		{
			"a client without the certificate that is asked for",
			func(server, _ *cryptotls.Config) { server.ClientAuth = cryptotls.RequireAnyClientCert },
			certificateRequired, false, "client didn't provide a certificate",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inFakeTime(t, func(r *rig) {
				tt.client(r.tls[0], r.tls[1])
				lost := r.serveTelling(quic.Config{})
				conn, err := r.client.Dial(r.Context(), r.addr(), r.tls[1], nil)
				if err == nil { // the client is done before the server is
					defer conn.Close()
				}
				got := <-lost
				assert.Equal(r, r.socket.LocalAddr().String(), got.client.String())
				failed, ok := errors.AsType[*quic.TransportError](got.err)
				require.True(r, ok, "%v", got.err)
				assert.Equal(r, tt.code, failed.Code, "%v", failed)
				assert.Equal(r, tt.remote, failed.Remote)
				assert.ErrorContains(r, failed, tt.says)
				none(r, lost)
			})
		})
	}
}

func TestOnErrorIsToldOfAClientThatVanishes(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		lost := r.serveTelling(quic.Config{HandshakeTimeout: 4 * time.Second})
		ctx, cancel := context.WithTimeout(r.Context(), delay)
		defer cancel()
		require.ErrorIs(r, r.dialed(ctx, nil), context.DeadlineExceeded)
		start := time.Now()
		got := <-lost
		require.ErrorIs(r, got.err, quic.ErrHandshakeTimeout)
		assert.True(r, isTimeout(got.err))
		assert.Equal(r, 2*time.Second, time.Since(start), "half of the timeout in silence")
	})
}

func TestOnErrorIsToldOfWhomNobodyAcceptsInTime(t *testing.T) {
	const waiting, refused = 32, 2
	inFakeTime(t, func(r *rig) {
		lost := r.serveTelling(quic.Config{})
		for range waiting {
			_, err := r.client.Dial(r.Context(), r.addr(), r.tls[1], nil)
			require.NoError(r, err)
			r.pass(delay) // for its last packet
		}
		none(r, lost)
		_, err := r.client.Dial(r.Context(), r.addr(), r.tls[1], nil)
		require.NoError(r, err)
		failed, ok := errors.AsType[*quic.TransportError]((<-lost).err)
		require.True(r, ok)
		assert.EqualValues(r, refused, failed.Code)
		assert.False(r, failed.Remote)
		for range waiting {
			_, err := r.listener.Accept(r.Context())
			require.NoError(r, err)
		}
	})
}

// What broke while it waited for Accept is told, and never returned too.
func TestAConnectionIsEitherAcceptedOrTold(t *testing.T) {
	for _, tells := range []bool{true, false} {
		inFakeTime(t, func(r *rig) {
			var lost <-chan loss
			if tells {
				lost = r.serveTelling(quic.Config{})
			} else {
				r.serve(nil)
			}
			first, err := r.client.Dial(r.Context(), r.addr(), r.tls[1], nil)
			require.NoError(r, err)
			r.pass(delay)
			require.NoError(r, first.Abort(quic.Code(7)))
			r.pass(delay)
			second, err := r.client.Dial(r.Context(), r.addr(), r.tls[1], nil)
			require.NoError(r, err)
			accepted, err := r.listener.Accept(r.Context())
			require.NoError(r, err)
			_, err = second.OpenStream(r.Context())
			require.NoError(r, err)
			_, err = accepted.OpenStream(r.Context())
			if tells {
				require.NoError(r, err, "it is the second")
				require.ErrorIs(r, (<-lost).err, quic.Code(7))
				none(r, lost)
			} else {
				require.ErrorIs(r, err, quic.Code(7), "it is the first")
			}
		})
	}
}

// These are nobody's failures.
func TestOnErrorIsNotToldOf(t *testing.T) {
	t.Run("what was accepted and broke", func(t *testing.T) {
		inFakeTime(t, func(r *rig) {
			lost := r.serveTelling(quic.Config{})
			client, server := r.dial(nil)
			require.NoError(r, client.Abort(quic.Code(7)))
			_, err := server.AcceptStream(r.Context())
			require.ErrorIs(r, err, quic.Code(7))
			none(r, lost)
		})
	})
	t.Run("what Close ended", func(t *testing.T) {
		inFakeTime(t, func(r *rig) {
			lost := r.serveTelling(quic.Config{})
			ctx, cancel := context.WithTimeout(r.Context(), delay)
			defer cancel()
			require.ErrorIs(r, r.dialed(ctx, nil), context.DeadlineExceeded) // under way
			conn, err := r.client.Dial(r.Context(), r.addr(), r.tls[1], nil) // not accepted
			require.NoError(r, err)
			r.pass(delay)
			require.NoError(r, r.listener.Close())
			_, err = conn.AcceptStream(r.Context())
			require.Error(r, err)
			none(r, lost)
		})
	})
}

func TestCloseWaitsForOnError(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		entered, leave, left := make(chan struct{}), make(chan struct{}), false
		r.tls[1].NextProtos = []string{"h3"}
		r.serve(&quic.Config{OnError: func(netip.AddrPort, error) {
			close(entered)
			<-leave
			left = true
		}})
		_ = r.dialed(r.Context(), nil)
		<-entered
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			r.listener.Close()
		}()
		synctest.Wait()
		_, err := r.listener.Accept(r.Context())
		require.ErrorIs(r, err, net.ErrClosed)
		select {
		case <-closed:
			r.Error("closed already")
		default:
		}
		close(leave)
		<-closed
		assert.True(r, left)
	})
}

func TestOnErrorIsToldOverSockets(t *testing.T) {
	lost := make(chan loss, 1)
	ln := listen(t, &quic.Config{OnError: func(client netip.AddrPort, err error) { lost <- loss{client, err} }})
	_, client := tlsConfigs(t)
	client.NextProtos = []string{"h3"}
	_, err := quic.Dial(t.Context(), addrOf(ln), client, nil)
	_, ok := errors.AsType[*quic.ALPNError](err)
	require.True(t, ok, "%v", err)
	got := <-lost
	assert.ErrorContains(t, got.err, "unsupported application protocols")
	assert.Equal(t, "127.0.0.1", got.client.Addr().String())
}
