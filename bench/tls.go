package main

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// tlsCases compare tls.Conns over TCP with bare *crypto/tls.Conns, with the
// same configuration and one context for every call.
var tlsCases = slices.Concat(
	tlsVersion{"tls", tls.VersionTLS13}.cases(),
	tlsVersion{"tls/1.2", tls.VersionTLS12}.cases(),
)

type tlsVersion struct {
	prefix  string
	version uint16
}

func (v tlsVersion) cases() []benchCase {
	cases := []benchCase{
		{Name: "/pingpong", Target: 1.10, AllocFree: true, Setup: v.between(ourClient, ourServer, pingPong)},
		{Name: "/bulk", Target: 1.05, AllocFree: true, Setup: v.between(ourClient, ourServer, bulk)},
		// The other end is bare here on both sides.
		{Name: "/bulk-send", Target: 1.05, AllocFree: true, Setup: v.between(ourClient, bareServer, bulk)},
		{Name: "/bulk-receive", Target: 1.05, AllocFree: true, Setup: v.between(bareClient, ourServer, bulk)},
		{Name: "/handshake", Target: 1.05, Setup: v.handshakes},
	}
	for i := range cases {
		cases[i].Name = v.prefix + cases[i].Name
		cases[i].OneCore = true
	}
	return cases
}

// configs returns what both sides have in common. Neither starts with small
// records, which crypto/tls does unless told otherwise and we never do.
func (v tlsVersion) configs(tickets bool) (client, server *tls.Config, err error) {
	ca, err := testpki.New(time.Now())
	if err != nil {
		return nil, nil, err
	}
	cert, err := ca.Issue(testpki.Server)
	if err != nil {
		return nil, nil, err
	}
	client = &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}
	server = &tls.Config{Certificates: []tls.Certificate{cert}}
	for _, cfg := range []*tls.Config{client, server} {
		cfg.MinVersion, cfg.MaxVersion = v.version, v.version
		cfg.DynamicRecordSizingDisabled = true
		cfg.SessionTicketsDisabled = !tickets
	}
	return client, server, nil
}

// A shaker makes one end of a connection an end of a session.
type shaker func(ctx context.Context, conn net.Conn, cfg *tls.Config) (end, error)

func ourClient(ctx context.Context, conn net.Conn, cfg *tls.Config) (end, error) {
	return tls.WrapClient(ctx, tcp.Wrap(conn.(*net.TCPConn)), cfg, nil)
}

func ourServer(ctx context.Context, conn net.Conn, cfg *tls.Config) (end, error) {
	return tls.WrapServer(ctx, tcp.Wrap(conn.(*net.TCPConn)), cfg, nil)
}

func bareClient(ctx context.Context, conn net.Conn, cfg *tls.Config) (end, error) {
	c := cryptotls.Client(conn, cfg)
	return bare{c}, c.HandshakeContext(ctx)
}

func bareServer(ctx context.Context, conn net.Conn, cfg *tls.Config) (end, error) {
	c := cryptotls.Server(conn, cfg)
	return bare{c}, c.HandshakeContext(ctx)
}

// between returns a Setup in which traffic runs from client to server, and
// between bare ones.
func (v tlsVersion) between(client, server shaker, traffic func(undo *cleanup, a, b end, p policy) side) func(*cleanup) (ours, theirs side, err error) {
	return func(undo *cleanup) (ours, theirs side, err error) {
		// Nobody receives at the client's end of a bulk transfer, so that
		// tickets would be in the way of an orderly end.
		clientConfig, serverConfig, err := v.configs(false)
		if err != nil {
			return nil, nil, err
		}
		session := func(client, server shaker) (side, error) {
			x, y, err := tcpPair()
			if err != nil {
				return nil, err
			}
			a, b, err := shakeHands(x, y, client, server, clientConfig, serverConfig)
			if err != nil {
				return nil, err
			}
			return traffic(undo, a, b, oneContext), nil
		}
		if ours, err = session(client, server); err != nil {
			return nil, nil, err
		}
		theirs, err = session(bareClient, bareServer)
		return ours, theirs, err
	}
}

// shakeHands does both sides of a handshake. Of a failed one nothing is left.
func shakeHands(x, y net.Conn, client, server shaker, clientConfig, serverConfig *tls.Config) (a, b end, err error) {
	ctx := oneContext.ctx
	var serverErr error
	var wg sync.WaitGroup
	wg.Go(func() { b, serverErr = server(ctx, y, serverConfig) })
	a, err = client(ctx, x, clientConfig)
	if err != nil {
		_ = x.Close() // or the server would wait for it
	}
	wg.Wait()
	if err = errors.Join(err, serverErr); err != nil {
		return nil, nil, errors.Join(err, x.Close(), y.Close())
	}
	return a, b, nil
}

// handshakes measures full handshakes, nothing is resumed. Connecting and
// closing are not timed.
func (v tlsVersion) handshakes(*cleanup) (ours, theirs side, err error) {
	clientConfig, serverConfig, err := v.configs(true)
	if err != nil {
		return nil, nil, err
	}
	one := func(w *watch, client, server shaker) error {
		w.stop()
		defer w.start()
		x, y, err := tcpPair()
		if err != nil {
			return err
		}
		w.start()
		a, b, err := shakeHands(x, y, client, server, clientConfig, serverConfig)
		w.stop()
		if err != nil {
			return err
		}
		_, _ = a.Close(), b.Close() // the farewell of the second may come too late
		return nil
	}
	many := func(client, server shaker) side {
		return func(w *watch, n int) error {
			for range n {
				if err := one(w, client, server); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return many(ourClient, ourServer), many(bareClient, bareServer), nil
}
