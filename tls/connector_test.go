package tls_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

func TestConnectorHoldsTheContract(t *testing.T) {
	serverConfig, clientConfig := bubbleConfigs(t, tls.VersionTLS13)
	streamtest.TestConnector(t, &streamtest.ConnectorMaker[*tls.Conn]{
		Bubble: true,
		Connector: func(context.Context) (stream.Connector[*tls.Conn], func(context.Context) (stream.ByteStream, error), func() error, error) {
			below := memory.Listen(nil)
			ln := tls.NewListener(below, serverConfig, nil)
			accept := func(ctx context.Context) (stream.ByteStream, error) { return ln.Accept(ctx) }
			return &tls.Connector[*memory.Conn]{Below: below, Config: clientConfig}, accept, ln.Close, nil
		},
	})
}

// TestConnectorVerifiesTheDialedName over TCP, without a name in the Config.
func TestConnectorVerifiesTheDialedName(t *testing.T) {
	p, err := usual()
	require.NoError(t, err)
	below, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	serverConfig, _ := p.configs(tls.VersionTLS13)
	ln := tls.NewListener(below, serverConfig, nil)
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for {
			s, err := ln.Accept(context.Background())
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if assert.NoError(t, err) {
				s.Close()
			}
		}
	}()
	defer func() {
		assert.NoError(t, ln.Close())
		<-accepted
	}()
	addr, err := netconn.LocalAddrPort.Get(below)
	require.NoError(t, err)
	c := &tls.Connector[*tcp.Conn]{
		Below:  &tcp.Connector{Addr: addr.String()},
		Config: &tls.Config{RootCAs: p.ca.Pool()},
	}
	s, err := c.Connect(t.Context())
	require.NoError(t, err)
	wantFact(t, netconn.Host, s, "127.0.0.1")
	require.NoError(t, s.Close())

	c.Config = &tls.Config{RootCAs: p.ca.Pool(), ServerName: "other.example"}
	_, err = c.Connect(t.Context())
	shaken, ok := errors.AsType[*tls.HandshakeError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, "other.example", shaken.ServerName)
	_, ok = errors.AsType[x509.HostnameError](err)
	assert.True(t, ok)
}

func TestConnectorReturnsTheErrorBelow(t *testing.T) {
	below := memory.Listen(nil)
	require.NoError(t, below.Close())
	_, want := below.Connect(t.Context())
	require.Error(t, want)
	_, err := (&tls.Connector[*memory.Conn]{Below: below}).Connect(t.Context())
	require.Equal(t, want, err)
	require.PanicsWithValue(t, "tls: Connector: nil Below", func() {
		(&tls.Connector[*memory.Conn]{}).Connect(t.Context())
	})
}
