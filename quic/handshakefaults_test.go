package quic_test

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	quicgo "github.com/quic-go/quic-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/quic"
)

// accepted is how long it takes until a connection was accepted: three times
// one side says something.
const accepted = 3 * delay

// dialed is the error of a dial that fails.
func (r *rig) dialed(ctx context.Context, cfg *quic.Config) error {
	r.Helper()
	_, err := r.client.Dial(ctx, r.addr(), r.tls[1], cfg)
	e, ok := errors.AsType[*quic.DialError](err)
	require.True(r, ok, "%v", err)
	assert.Equal(r, r.addr().String(), e.Addr)
	return err
}

func TestHandshakeTimesOutWhereNobodyAnswers(t *testing.T) {
	tests := []struct {
		name string
		cfg  *quic.Config
		want time.Duration // quic-go gives up when half of it has passed in silence
	}{
		{"the default", nil, 5 * time.Second},
		{"set", &quic.Config{HandshakeTimeout: time.Second}, 500 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inFakeTime(t, func(r *rig) {
				start := time.Now()
				err := r.dialed(r.Context(), tt.cfg)
				require.ErrorIs(r, err, quic.ErrHandshakeTimeout)
				assert.True(r, isTimeout(err))
				assert.Equal(r, tt.want, time.Since(start))
			})
		})
	}
}

func TestACanceledDialTellsTheCause(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		enough := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(r.Context(), time.Second, enough)
		defer cancel()
		start := time.Now()
		err := r.dialed(ctx, nil)
		require.ErrorIs(r, err, enough)
		require.ErrorIs(r, err, context.DeadlineExceeded)
		assert.Equal(r, time.Second, time.Since(start))
	})
}

// A client that vanishes in the middle of its handshake is nobody's
// connection, and holds up no other.
func TestAcceptIsNotHeldUpByHandshakesThatStall(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		r.serve(nil)
		ctx, cancel := context.WithTimeout(r.Context(), delay) // half a round trip
		defer cancel()
		require.ErrorIs(r, r.dialed(ctx, nil), context.DeadlineExceeded)
		start := time.Now()
		r.dial(nil)
		assert.Less(r, time.Since(start), 4*delay)
	})
}

func TestALPNMismatchNamesWhatWasOffered(t *testing.T) {
	const noApplicationProtocol = 120 // RFC 7301 section 3.2
	inFakeTime(t, func(r *rig) {
		r.serve(nil)
		r.tls[1].NextProtos = []string{"h3", "doq"}
		err := r.dialed(r.Context(), nil)
		require.EqualError(r, err, `quic: dial 127.0.0.1:443: the server speaks none of the application protocols ["h3" "doq"]`)
		want := &quic.ALPNError{
			Offered: []string{"h3", "doq"},
			Err:     &quic.TransportError{Code: 0x100 + noApplicationProtocol, Remote: true, Err: cryptotls.AlertError(noApplicationProtocol)},
		}
		got, _ := errors.AsType[*quic.ALPNError](err)
		if diff := cmp.Diff(want, got); diff != "" {
			r.Errorf("mismatch (-want +got):\n%s", diff)
		}
	})
}

func TestVersionNegotiation(t *testing.T) {
	v1, v2 := []quicgo.Version{quicgo.Version1}, []quicgo.Version{quicgo.Version2}
	both := []quicgo.Version{quicgo.Version1, quicgo.Version2}
	tests := []struct {
		name           string
		client, server []quicgo.Version
		want           quic.Version // 0 if there is none
		took           time.Duration
	}{
		{"the client's first", both, both, quic.Version1, accepted},
		{"the client's second", both, v2, quic.Version2, accepted + 2*delay},
		{"none in common", v1, v2, 0, 2 * delay},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inFakeTime(t, func(r *rig) {
				r.serve(&quic.Config{Base: &quicgo.Config{Versions: tt.server}})
				cfg := &quic.Config{Base: &quicgo.Config{Versions: tt.client}}
				start := time.Now()
				defer func() { assert.Equal(r, tt.took, time.Since(start)) }()
				if tt.want == 0 {
					e, ok := errors.AsType[*quic.VersionError](r.dialed(r.Context(), cfg))
					require.True(r, ok)
					want := &quic.VersionError{Ours: []quic.Version{quic.Version1}, Theirs: []quic.Version{quic.Version2}}
					if diff := cmp.Diff(want, e); diff != "" {
						r.Errorf("mismatch (-want +got):\n%s", diff)
					}
					return
				}
				client, server := r.dial(cfg)
				for _, c := range []*quic.Conn{client, server} {
					got, err := quic.ProtocolVersion.Get(c)
					require.NoError(r, err)
					assert.Equal(r, tt.want, got)
				}
			})
		})
	}
}

func TestRetryProvesTheAddressOfAClient(t *testing.T) {
	for _, validate := range []bool{false, true} {
		inFakeTime(t, func(r *rig) {
			var asked []netip.AddrPort
			r.serve(&quic.Config{Transport: quic.TransportConfig{ValidateAddress: func(addr netip.AddrPort) bool {
				asked = append(asked, addr)
				return validate
			}}})
			start := time.Now()
			client, server := r.dial(nil)
			took := time.Since(start)
			if validate {
				assert.Equal(r, accepted+2*delay, took, "a round trip more")
			} else {
				assert.Equal(r, accepted, took)
			}
			require.NotEmpty(r, asked)
			assert.Equal(r, r.socket.LocalAddr().(*net.UDPAddr).AddrPort(), asked[0])
			a, b := r.stream(client, server)
			_, err := b.Send(r.Context(), []byte("x"))
			require.NoError(r, err)
			require.NoError(r, receive(a)(r.Context()))
		})
	}
}

// A client that was here before has a token from then.
func TestATokenSavesTheRetry(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		asked := 0
		r.serve(&quic.Config{Transport: quic.TransportConfig{ValidateAddress: func(netip.AddrPort) bool {
			asked++
			return true
		}}})
		cfg := &quic.Config{Base: &quicgo.Config{TokenStore: quicgo.NewLRUTokenStore(1, 1)}}
		r.dial(cfg)
		require.Positive(r, asked)
		asked = 0
		r.pass(time.Second) // the token comes behind the handshake
		start := time.Now()
		r.dial(cfg)
		assert.Equal(r, accepted, time.Since(start))
		assert.Zero(r, asked)
	})
}
