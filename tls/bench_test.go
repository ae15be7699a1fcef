package tls_test

import (
	"context"
	cryptotls "crypto/tls"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
)

// loopback returns the two ends of a TCP connection.
func loopback(tb testing.TB) (client, server net.Conn) {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	defer ln.Close()
	client, err = net.Dial("tcp", ln.Addr().String())
	require.NoError(tb, err)
	server, err = ln.Accept()
	require.NoError(tb, err)
	return client, server
}

// An end is one end of a connection, ours or the standard library's.
type end interface {
	receive(p []byte) (int, error)
	send(p []byte) error
	close() error
}

type ourEnd struct {
	ctx context.Context
	s   stream.ByteStream
}

func (e ourEnd) receive(p []byte) (int, error) { return e.s.Receive(e.ctx, p) }
func (e ourEnd) send(p []byte) error           { _, err := e.s.Send(e.ctx, p); return err }
func (e ourEnd) close() error                  { return e.s.Close() }

type theirEnd struct{ c net.Conn }

func (e theirEnd) receive(p []byte) (int, error) { return e.c.Read(p) }
func (e theirEnd) send(p []byte) error           { _, err := e.c.Write(p); return err }
func (e theirEnd) close() error                  { return e.c.Close() }

func ourEnds(tb testing.TB, ctx context.Context, version uint16) (client, server end) {
	tb.Helper()
	serverConfig, clientConfig := usualConfigs(tb, version)
	a, b := loopback(tb)
	c, s, err := wrap(ctx, netconn.Wrap(a), netconn.Wrap(b), serverConfig, clientConfig, nil)
	require.NoError(tb, err)
	return ourEnd{ctx, c}, ourEnd{ctx, s}
}

func theirEnds(tb testing.TB, _ context.Context, version uint16) (client, server end) {
	tb.Helper()
	serverConfig, clientConfig := usualConfigs(tb, version)
	a, b := loopback(tb)
	s := cryptotls.Server(b, serverConfig)
	served := make(chan error, 1)
	go func() { served <- s.Handshake() }()
	c := cryptotls.Client(a, clientConfig)
	require.NoError(tb, c.Handshake())
	require.NoError(tb, <-served)
	return theirEnd{c}, theirEnd{s}
}

var sides = []struct {
	name string
	ends func(testing.TB, context.Context, uint16) (client, server end)
}{
	{"ours", ourEnds},
	{"bare", theirEnds},
}

// bench runs f over our and over bare sessions.
func bench(b *testing.B, f func(b *testing.B, client, server end)) {
	for _, v := range versions {
		for _, side := range sides {
			b.Run(v.name+"/"+side.name, func(b *testing.B) {
				ctx, cancel := context.WithCancel(b.Context())
				defer cancel()
				client, server := side.ends(b, ctx, v.version)
				b.ReportAllocs()
				f(b, client, server)
			})
		}
	}
}

func BenchmarkPingPong64B(b *testing.B) {
	bench(b, func(b *testing.B, client, server end) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			buf := make([]byte, 64)
			for {
				n, err := server.receive(buf)
				if err != nil || server.send(buf[:n]) != nil {
					server.close()
					return
				}
			}
		}()
		buf := make([]byte, 64)
		for b.Loop() {
			if err := client.send(buf); err != nil {
				b.Fatal(err)
			}
			for got := 0; got < len(buf); {
				n, err := client.receive(buf)
				if err != nil {
					b.Fatal(err)
				}
				got += n
			}
		}
		client.close()
		<-done
	})
}

func BenchmarkBulk64KiB(b *testing.B) {
	bench(b, func(b *testing.B, client, server end) {
		const size = 64 << 10
		b.SetBytes(size)
		go func() {
			buf := make([]byte, size)
			for server.send(buf) == nil {
			}
			server.close()
		}()
		buf := make([]byte, size)
		for b.Loop() {
			for got := 0; got < size; {
				n, err := client.receive(buf[:size-got])
				if err != nil {
					b.Fatal(err)
				}
				got += n
			}
		}
		client.close()
	})
}

func BenchmarkHandshake(b *testing.B) {
	for _, v := range versions {
		for _, side := range sides {
			b.Run(v.name+"/"+side.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					client, server := side.ends(b, b.Context(), v.version)
					client.close()
					server.close()
				}
			})
		}
	}
}
