package quic_test

import (
	"context"
	cryptotls "crypto/tls"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"

	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream/netconn"
)

func TestStreamsAreNetConns(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		client, server, err := conns(context.Background(), &quic.Config{StreamWindow: window})
		if err != nil {
			return nil, nil, nil, err
		}
		stop = func() {
			client.Close()
			server.Close()
		}
		a, b, err := streams(context.Background(), client, server)
		if err != nil {
			stop()
			return nil, nil, nil, err
		}
		return netconn.From(a), netconn.From(b), stop, nil
	})
}

func TestANetConnOfAStreamHasTheStateOfItsTLS(t *testing.T) {
	a, _ := streamed(t, nil)
	c, ok := netconn.From(a).(interface {
		ConnectionState() cryptotls.ConnectionState
	})
	require.True(t, ok)
	require.Equal(t, "strata-test", c.ConnectionState().NegotiatedProtocol)
}
