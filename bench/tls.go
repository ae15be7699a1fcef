package main

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"net"
	"runtime"
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
		// crypto/tls allocates 24 bytes each time that it reads. Bare it reads two
		// full records at a time; ours gives it one, since what follows need not be
		// TLS any more: at close_notify it does not tell how many of several it has
		// read, and in TLS 1.3 their headers do not show which of them that is. It
		// keeps a buffer half the size, too: see /idle-after-bulk.
		{Name: "/bulk", Target: 1.05, AllocFree: true, Setup: v.between(ourClient, ourServer, bulk)},
		// The other end is bare here on both sides.
		{Name: "/bulk-send", Target: 1.05, AllocFree: true, Setup: v.between(ourClient, bareServer, bulk)},
		{Name: "/bulk-receive", Target: 1.05, AllocFree: true, Setup: v.between(bareClient, ourServer, bulk)},
		{Name: "/handshake", Target: 1.05, Setup: v.handshakes},
	}
	for i := range cases {
		cases[i].OneCore = true
	}
	cases = append(cases,
		benchCase{Name: "/idle", MaxExtra: 1 << 10, Footprint: v.idle(messageSize)},
		benchCase{Name: "/idle-after-bulk", MaxExtra: 1 << 10, Footprint: v.idle(1 << 20)},
	)
	for i := range cases {
		cases[i].Name = v.prefix + cases[i].Name
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

// idleSessions is how many there are of each side to measure what one holds.
const idleSessions = 50

// idle returns a Footprint of a session, the mean of its ends, over which size
// bytes came each way and nothing since. What the transports hold by themselves
// does not count.
func (v tlsVersion) idle(size int) func() (ours, theirs float64, err error) {
	return func() (ours, theirs float64, err error) {
		clientConfig, serverConfig, err := v.configs(true)
		if err != nil {
			return 0, 0, err
		}
		held := func(transport, client, server shaker) (float64, error) {
			below, err := holds(size, transport, transport, clientConfig, serverConfig)
			if err != nil {
				return 0, err
			}
			all, err := holds(size, client, server, clientConfig, serverConfig)
			return all - below, err
		}
		if theirs, err = held(bareTransport, bareClient, bareServer); err != nil {
			return 0, 0, err
		}
		ours, err = held(ourTransport, ourClient, ourServer)
		return ours, theirs, err
	}
}

func ourTransport(_ context.Context, conn net.Conn, _ *tls.Config) (end, error) {
	return tcp.Wrap(conn.(*net.TCPConn)), nil
}

func bareTransport(_ context.Context, conn net.Conn, _ *tls.Config) (end, error) {
	return bare{conn}, nil
}

// holds returns how much heap a connection holds after a bit of traffic.
func holds(size int, client, server shaker, clientConfig, serverConfig *tls.Config) (held float64, err error) {
	var undo cleanup
	defer func() { err = errors.Join(err, undo.run()) }()
	before := heap()
	for range idleSessions {
		x, y, err := tcpPair()
		if err != nil {
			return 0, err
		}
		a, b, err := shakeHands(x, y, client, server, clientConfig, serverConfig)
		if err != nil {
			return 0, err
		}
		undo.add(func() error {
			_, _ = a.Close(), b.Close() // the farewell of the second may come too late
			return nil
		})
		if err := errors.Join(carry(a, b, size), carry(b, a, size)); err != nil {
			return 0, err
		}
	}
	return (heap() - before) / (2 * idleSessions), nil
}

// carry sends size bytes from one end to the other.
func carry(from, to end, size int) error {
	sent := make(chan error, 1)
	go func() { sent <- sendAll(from, make([]byte, size))(oneContext.ctx) }() // ends when all is received
	return errors.Join(receiveAll(to, make([]byte, size))(oneContext.ctx), <-sent)
}

// heap returns how many bytes are in use, without what pools keep.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
