package netconn_test

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
)

// dialPair returns the two ends of a new connection of a network. A fresh
// listener for each keeps the ends of concurrent pairs apart.
func dialPair(ctx context.Context, network, addr string) (a, b net.Conn, err error) {
	ln, err := net.Listen(network, addr)
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	var d net.Dialer
	a, err = d.DialContext(ctx, network, ln.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	b, err = ln.Accept()
	if err != nil {
		return nil, nil, errors.Join(err, a.Close())
	}
	return a, b, nil
}

func tcpPair(ctx context.Context) (a, b net.Conn, err error) {
	return dialPair(ctx, "tcp", "127.0.0.1:0")
}

func unixPair(ctx context.Context) (a, b net.Conn, err error) {
	dir, err := os.MkdirTemp("", "netconn")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	return dialPair(ctx, "unix", filepath.Join(dir, "s"))
}

// tlsConfigs are for both sides of connections with crypto/tls.
var tlsConfigs = sync.OnceValues(func() (client, server *cryptotls.Config) {
	ca, err := testpki.New(time.Now())
	if err != nil {
		panic(err)
	}
	cert, err := ca.Issue(testpki.Server)
	if err != nil {
		panic(err)
	}
	client = &cryptotls.Config{RootCAs: ca.Pool(), ServerName: "localhost", NextProtos: []string{"echo"}}
	server = &cryptotls.Config{Certificates: []cryptotls.Certificate{cert}, NextProtos: []string{"echo"}}
	return client, server
})

// tlsPair returns crypto/tls over TCP after the handshake.
func tlsPair(ctx context.Context) (a, b *cryptotls.Conn, err error) {
	below, beside, err := tcpPair(ctx)
	if err != nil {
		return nil, nil, err
	}
	client, server := tlsConfigs()
	a, b = cryptotls.Client(below, client), cryptotls.Server(beside, server)
	done := make(chan error, 1)
	go func() { done <- b.HandshakeContext(ctx) }()
	return a, b, errors.Join(a.HandshakeContext(ctx), <-done)
}

// wrapped makes a maker for streamtest of one for net.Conns.
func wrapped[C net.Conn](
	pair func(context.Context) (a, b C, err error),
) func(context.Context) (a, b stream.ByteStream, err error) {
	return func(ctx context.Context) (stream.ByteStream, stream.ByteStream, error) {
		a, b, err := pair(ctx)
		if err != nil {
			return nil, nil, err
		}
		return netconn.Wrap(a), netconn.Wrap(b), nil
	}
}

// must returns the ends of a pair, which are closed with the test.
func must[C interface{ Close() error }](
	tb testing.TB, pair func(context.Context) (a, b C, err error),
) (a, b C) {
	tb.Helper()
	a, b, err := pair(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return a, b
}
