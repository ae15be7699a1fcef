package tcp_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/tcp"
)

// sink accepts, and waits for its peers to hang up.
func sink(b *testing.B) string {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	b.Cleanup(func() { ln.Close() })
	go func() { // ends with the listener
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1)) // until the reset
			conn.Close()
		}
	}()
	return ln.Addr().String()
}

// Connections end with a reset, so that no ports are left in TIME_WAIT.

func BenchmarkDialAddress(b *testing.B) {
	addr := sink(b)
	b.ReportAllocs()
	for b.Loop() {
		c, err := tcp.Dial(b.Context(), addr, nil)
		if err != nil {
			b.Fatal(err)
		}
		_ = c.Abort(nil)
	}
}

func BenchmarkNetDialAddress(b *testing.B) {
	addr := sink(b)
	b.ReportAllocs()
	var d net.Dialer
	for b.Loop() {
		c, err := d.DialContext(b.Context(), "tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
}
