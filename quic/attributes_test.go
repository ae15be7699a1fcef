package quic_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/udp"
)

func get[T any](t *testing.T, k attr.Key[T], p attr.Provider) T {
	t.Helper()
	v, err := k.Get(p)
	require.NoError(t, err, k.Name())
	return v
}

func TestStreamsTellOfTheirConnection(t *testing.T) {
	ln := listen(t, &quic.Config{IdleTimeout: 20 * time.Second})
	client := dial(t, ln, nil)
	server, err := ln.Accept(t.Context())
	require.NoError(t, err)
	defer server.Close()
	a, b, err := streams(t.Context(), client, server)
	require.NoError(t, err)

	assert.Equal(t, addrOf(ln), get(t, quic.RemoteAddr, a).String())
	assert.Equal(t, addrOf(ln), get(t, netconn.LocalAddr, b).String())
	assert.Equal(t, get(t, quic.LocalAddrPort, a).Port(), get(t, quic.RemoteAddrPort, b).Port())
	assert.Equal(t, "127.0.0.1", get(t, quic.Host, a))
	assert.Equal(t, netconn.IPv4, get(t, quic.Family, a))
	_, ok := quic.Race.Lookup(a)
	assert.False(t, ok)

	for _, s := range []*quic.Stream{a, b} {
		assert.Equal(t, "strata-test", get(t, tls.ALPN, s))
		assert.EqualValues(t, tls.VersionTLS13, get(t, tls.Version, s))
		assert.Equal(t, "localhost", get(t, tls.ServerName, s))
		assert.Equal(t, s == b, get(t, tls.ServerSide, s))
		assert.NotEmpty(t, get(t, tls.TLSServerEndPoint, s))
		assert.Equal(t, get(t, tls.TLSExporter, a), get(t, tls.TLSExporter, s))
		assert.Equal(t, quic.Version1, get(t, quic.ProtocolVersion, s))
		assert.Equal(t, quic.StreamID(0), get(t, quic.ID, s))
		assert.False(t, get(t, quic.EarlyData, s))
		assert.Positive(t, get(t, quic.RTT, s))
		assert.Positive(t, get(t, quic.Stats, s).PacketsReceived)
		assert.IsType(t, (*net.UDPConn)(nil), get(t, udp.NetConn, s), "that of the socket below")
	}
	assert.Equal(t, []string{"strata-test"}, get(t, tls.OfferedALPN, b))
	assert.NotEmpty(t, get(t, tls.SharedCipherSuites, b))
	_, ok = tls.OfferedALPN.Lookup(a)
	assert.False(t, ok, "a client was offered nothing")
	assert.Len(t, get(t, tls.PeerCertificates, a), 1)
	assert.Equal(t, 30*time.Second, get(t, quic.IdleTimeout, a))
	assert.Equal(t, 20*time.Second, get(t, quic.IdleTimeout, b))
	assert.Equal(t, "v1", quic.Version1.String())
}

func TestLiveAttributesEndWithTheConnection(t *testing.T) {
	a, _ := streamed(t, nil)
	require.NoError(t, a.Close())
	_, err := quic.RTT.Get(a)
	require.NoError(t, err, "it is the connection's")
	client, _ := connected(t, nil)
	require.NoError(t, client.Close())
	_, err = quic.RTT.Get(client)
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = quic.Stats.Get(client)
	require.ErrorIs(t, err, net.ErrClosed)
	assert.Equal(t, "strata-test", get(t, tls.ALPN, client))
}

// connAndPeer closes its peer after itself: a connection that the peer closed
// has lost the socket that Dial made for it.
type connAndPeer struct {
	*quic.Conn
	peer *quic.Conn
}

func (c connAndPeer) Close() error { return errors.Join(c.Conn.Close(), c.peer.Close()) }

func TestAttributesHoldTheContract(t *testing.T) {
	streamtest.TestAttributes(t, &streamtest.AttributesMaker{
		Stack: func(ctx context.Context) (stream.Resource, []attr.Provider, error) {
			client, server, err := conns(ctx, nil)
			if err != nil {
				return nil, nil, err
			}
			return connAndPeer{client, server}, nil, nil
		},
		Names: []string{
			quic.LocalAddr.Name(), quic.RemoteAddr.Name(), quic.LocalAddrPort.Name(), quic.RemoteAddrPort.Name(),
			quic.Host.Name(), quic.Family.Name(), quic.ProtocolVersion.Name(), quic.EarlyData.Name(),
			quic.IdleTimeout.Name(), quic.RTT.Name(), quic.Stats.Name(), tls.ALPN.Name(), tls.State.Name(),
			udp.NetConn.Name(), udp.RawConn.Name(),
		},
	})
}

func TestLookupsDoNotAllocate(t *testing.T) {
	a, _ := streamed(t, nil)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		tls.ALPN.Get(a)
		quic.ID.Get(a)
		quic.RTT.Get(a)
		quic.RemoteAddr.Get(a)
		quic.IdleTimeout.Get(a)
	}))
}
