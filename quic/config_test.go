package quic_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	quicgo "github.com/quic-go/quic-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/udp"
)

func TestConfigIsLaidOverItsBase(t *testing.T) {
	const never = 10 * 365 * 24 * time.Hour
	base := &quicgo.Config{MaxIncomingStreams: 7, MaxIdleTimeout: time.Minute, InitialPacketSize: 1300}
	tests := []struct {
		name string
		in   quic.Config
		want quicgo.Config
	}{
		{"zero", quic.Config{}, quicgo.Config{}},
		{"base", quic.Config{Base: base}, *base},
		{"over base", quic.Config{Base: base, MaxStreams: 8}, quicgo.Config{MaxIncomingStreams: 8, MaxIdleTimeout: time.Minute, InitialPacketSize: 1300}},
		{"timeouts", quic.Config{HandshakeTimeout: 10 * time.Second, IdleTimeout: time.Hour, KeepAlive: time.Second},
			quicgo.Config{HandshakeIdleTimeout: 5 * time.Second, MaxIdleTimeout: time.Hour, KeepAlivePeriod: time.Second}},
		{"off", quic.Config{HandshakeTimeout: -1, IdleTimeout: -1, KeepAlive: -1, MaxStreams: -1, MaxReceiveStreams: -1},
			quicgo.Config{HandshakeIdleTimeout: never / 2, MaxIdleTimeout: never, MaxIncomingStreams: -1, MaxIncomingUniStreams: -1}},
		{"small windows", quic.Config{StreamWindow: 1000, ConnWindow: 2000},
			quicgo.Config{
				InitialStreamReceiveWindow: 1000, MaxStreamReceiveWindow: 1000,
				InitialConnectionReceiveWindow: 2000, MaxConnectionReceiveWindow: 2000,
			}},
		{"windows between those that they start with", quic.Config{StreamWindow: 600 << 10, ConnWindow: 600 << 10},
			quicgo.Config{
				MaxStreamReceiveWindow:         600 << 10,
				InitialConnectionReceiveWindow: 600 << 10, MaxConnectionReceiveWindow: 600 << 10,
			}},
		{"large windows", quic.Config{StreamWindow: 1 << 20, ConnWindow: 2 << 20},
			quicgo.Config{MaxStreamReceiveWindow: 1 << 20, MaxConnectionReceiveWindow: 2 << 20}},
		{"switches", quic.Config{Packets: true, EarlyData: true}, quicgo.Config{EnableDatagrams: true, Allow0RTT: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, *tt.in.QUICGo(), cmpopts.IgnoreUnexported(quicgo.Config{})); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
		})
	}
	assert.EqualValues(t, 7, base.MaxIncomingStreams, "Base is not written to")
}

// A qlog is one in memory.
type qlog struct {
	mu     sync.Mutex
	text   bytes.Buffer
	closed chan struct{}
}

func (l *qlog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *qlog) Close() error {
	close(l.closed)
	return nil
}

func TestEventsAreLogged(t *testing.T) {
	logs := map[bool]*qlog{true: {closed: make(chan struct{})}, false: {closed: make(chan struct{})}}
	var mu sync.Mutex
	ids := make(map[bool]string)
	cfg := &quic.Config{Qlog: func(server bool, connID []byte) io.WriteCloser {
		mu.Lock()
		defer mu.Unlock()
		ids[server] = string(connID)
		return logs[server]
	}}
	client, server, err := conns(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, client.Close())
	require.NoError(t, server.Close())
	for server, l := range logs {
		<-l.closed
		text := l.text.String()
		assert.Contains(t, text, "\x1e{", "server: %v", server)
		assert.Contains(t, text, "handshake")
		assert.Contains(t, text, "connection_closed")
	}
	assert.NotEmpty(t, ids[true])
	assert.Equal(t, ids[true], ids[false])

	none := &quic.Config{Qlog: func(bool, []byte) io.WriteCloser { return nil }}
	client, server, err = conns(t.Context(), none)
	require.NoError(t, err)
	require.NoError(t, client.Close())
	require.NoError(t, server.Close())
}

func TestAddressesAreValidatedWhereThatIsAskedFor(t *testing.T) {
	asked := make(chan netip.AddrPort, 8)
	key := [32]byte{1, 2, 3}
	cfg := &quic.Config{Transport: quic.TransportConfig{
		TokenKey: &key, TokenAge: time.Hour, ResetKey: &key,
		ValidateAddress: func(addr netip.AddrPort) bool { asked <- addr; return true },
	}}
	ln := listen(t, cfg)
	client := dial(t, ln, nil)
	server, err := ln.Accept(t.Context())
	require.NoError(t, err)
	defer server.Close()
	assert.Equal(t, get(t, quic.RemoteAddrPort, server), <-asked)
	_, _, err = streams(t.Context(), client, server)
	require.NoError(t, err)
}

func TestANameIsRaced(t *testing.T) {
	ln := listen(t, nil)
	_, client := tlsConfigs(t)
	client.ServerName = "" // that of the host will do
	_, port, err := net.SplitHostPort(addrOf(ln))
	require.NoError(t, err)
	for _, local := range []netip.AddrPort{{}, netip.MustParseAddrPort("127.0.0.1:0")} {
		c, err := quic.Dial(t.Context(), "localhost:"+port, client, &quic.Config{
			LocalAddr: local,
			Race:      happyeyeballs.Config{Family: happyeyeballs.IPv4},
		})
		require.NoError(t, err)
		assert.Equal(t, "localhost", get(t, quic.Host, c))
		assert.NotNil(t, get(t, quic.Race, c))
		require.NoError(t, c.Close())
	}
}

func TestDialTellsWhyItFailed(t *testing.T) {
	_, client := tlsConfigs(t)
	done, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("no time"))
	for _, tt := range []struct {
		name, addr string
		ctx        context.Context
		want       string
	}{
		{"empty", "", t.Context(), "quic: dial: empty address"},
		{"no port", "127.0.0.1", t.Context(), "quic: dial 127.0.0.1: address 127.0.0.1: missing port in address"},
		{"port 0", "127.0.0.1:0", t.Context(), "quic: dial 127.0.0.1:0: address 127.0.0.1:0: missing port in address"},
		{"no host", ":443", t.Context(), "quic: dial :443: address :443: missing host in address"},
		{"not a name", "a\u2024b:443", t.Context(), "not a host name"},
		{"canceled", "127.0.0.1:9", done, "no time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := quic.Dial(tt.ctx, tt.addr, client, nil)
			var failed *quic.DialError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, tt.addr, failed.Addr)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestTransportDialsNoNilAddress(t *testing.T) {
	inFakeTime(t, func(r *rig) {
		_, err := r.client.Dial(r.Context(), nil, r.tls[1], nil)
		var failed *quic.DialError
		require.ErrorAs(r, err, &failed)
	})
}

func TestDialIsCanceledWhileNobodyAnswers(t *testing.T) {
	silent, err := udp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	defer silent.Close()
	_, client := tlsConfigs(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	dialing := make(chan error, 1)
	go func() {
		_, err := quic.Dial(ctx, addrOf(silent), client, nil)
		dialing <- err
	}()
	_, err = silent.Receive(t.Context()) // it has begun
	require.NoError(t, err)
	why := errors.New("changed my mind")
	cancel(why)
	err = <-dialing
	require.ErrorIs(t, err, why)
	require.ErrorIs(t, err, context.Canceled)

	_, err = quic.Dial(t.Context(), addrOf(silent), client, &quic.Config{HandshakeTimeout: 50 * time.Millisecond})
	require.ErrorIs(t, err, quic.ErrHandshakeTimeout)
	var timeout interface{ Timeout() bool }
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())
}
