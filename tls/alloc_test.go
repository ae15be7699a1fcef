package tls_test

import (
	cryptotls "crypto/tls"
	"net"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/race"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/tls"
)

// TestSendAndReceiveAllocateNoMoreThanCryptoTLS, which allocates once for each
// record that it reads.
func TestSendAndReceiveAllocateNoMoreThanCryptoTLS(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			exchange := func(client, server end) float64 {
				buf := make([]byte, 64)
				return testing.AllocsPerRun(500, func() {
					for _, x := range [][2]end{{client, server}, {server, client}} {
						if err := x[0].send(buf); err != nil {
							t.Error(err)
						}
						for got := 0; got < len(buf); {
							n, err := x[1].receive(buf)
							if err != nil {
								t.Error(err)
								return
							}
							got += n
						}
					}
				})
			}
			var allocs [2]float64
			for i, side := range sides {
				client, server := side.ends(t, t.Context(), v.version)
				allocs[i] = exchange(client, server)
				client.close()
				server.close()
			}
			require.LessOrEqual(t, allocs[0], allocs[1], "ours and bare")
		})
	}
}

// TestWaitReceiveAllocatesOncePerRecord, as Receive does.
func TestWaitReceiveAllocatesOncePerRecord(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	client, server := pair(t, tls.VersionTLS13, nil, nil)
	buf := make([]byte, 64)
	allocs := testing.AllocsPerRun(500, func() {
		if _, err := client.Send(t.Context(), buf); err != nil {
			t.Error(err)
		}
		if err := stream.WaitReceive(t.Context(), server); err != nil {
			t.Error(err)
		}
		if n, err := server.Receive(t.Context(), buf); n != len(buf) || err != nil {
			t.Errorf("Receive: %d, %v", n, err)
		}
	})
	require.LessOrEqual(t, allocs, 1.0)
}

// TestIdleConnectionsHoldNoBuffers compares the heap of connections that have
// received 64 KiB each, and are idle since, with crypto/tls's.
func TestIdleConnectionsHoldNoBuffers(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	const conns = 200
	serverConfig, clientConfig := usualConfigs(t, tls.VersionTLS13)
	bulk := make([]byte, 64<<10)
	measure := func(open func() (send func(), keep any, closeBoth func())) float64 {
		before := heap()
		var kept []any
		var closers []func()
		for range conns {
			send, keep, closeBoth := open()
			send()
			kept = append(kept, keep)
			closers = append(closers, closeBoth)
		}
		after := heap()
		runtime.KeepAlive(kept)
		for _, f := range closers {
			f()
		}
		return float64(after-before) / conns
	}
	ours := measure(func() (func(), any, func()) {
		a, b := memory.Pipe(nil)
		c, s, err := wrap(t.Context(), a, b, serverConfig, clientConfig, nil)
		require.NoError(t, err)
		send := func() { requireCarries(t, c, s, len(bulk)) }
		return send, []any{c, s}, func() { c.Close(); s.Close() }
	})
	bare := measure(func() (func(), any, func()) {
		x, y := memory.Pipe(nil)
		a, b := netconn.From(x), netconn.From(y)
		s := cryptotls.Server(b, serverConfig)
		shaken := make(chan error, 1)
		go func() { shaken <- s.Handshake() }()
		c := cryptotls.Client(a, clientConfig)
		require.NoError(t, c.Handshake())
		require.NoError(t, <-shaken)
		send := func() {
			go func() { _, _ = c.Write(bulk) }()
			for got := 0; got < len(bulk); {
				n, err := s.Read(make([]byte, 16<<10))
				require.NoError(t, err)
				got += n
			}
		}
		return send, []net.Conn{c, s}, func() { c.Close(); s.Close() }
	})
	t.Logf("bytes per pair of idle connections: ours %.0f, bare %.0f", ours, bare)
	require.Less(t, ours, bare+2*1024)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
