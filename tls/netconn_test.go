package tls_test

import (
	"net"
	"testing"

	"golang.org/x/net/nettest"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream/netconn"
)

// TestNetConnsOverUsPassNettest holds what net.Conn demands over a session.
func TestNetConnsOverUsPassNettest(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			server, client := usualConfigs(t, v.version)
			nettest.TestConn(t, func() (a, b net.Conn, stop func(), err error) {
				x, y := memory.Pipe(nil)
				c, s, err := wrap(t.Context(), x, y, server, client, nil)
				if err != nil {
					return nil, nil, nil, err
				}
				a, b = netconn.From(c), netconn.From(s)
				return a, b, func() { a.Close(); b.Close() }, nil
			})
		})
	}
}
