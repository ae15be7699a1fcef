package quic_test

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// both is the protocol of these tests, over either transport.
var both = []happyeyeballs.Protocol{
	{ALPN: "strata-test", Transport: happyeyeballs.QUIC}, {ALPN: "strata-test", Transport: happyeyeballs.TCP},
}

// A site is servers on one port, each for one transport, that send back what
// they receive.
type site struct{ port string }

// echo sends back what it receives on s, and closes it.
func echo(ctx context.Context, s stream.ByteStream) {
	defer s.Close()
	if _, err := stream.Copy(ctx, s, s); err == nil {
		_ = s.SendEOF(ctx)
	}
}

// serveBoth accepts on 127.0.0.1 over both, until the test ends.
func (h *site) serveBoth(t *testing.T, cfg *tls.Config) {
	t.Helper()
	for range 20 { // a port that is free in TCP may be taken in UDP
		below, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
		require.NoError(t, err)
		ln, err := quic.Listen(t.Context(), addrOf(below), cfg, nil)
		if err == nil {
			h.acceptTLS(t, below, cfg)
			h.acceptQUIC(t, ln)
			return
		}
		below.Close()
	}
	t.Fatal("no port is free in both")
}

// serveQUIC accepts on addr, until the test ends.
func (h *site) serveQUIC(t *testing.T, addr string, cfg *tls.Config) {
	t.Helper()
	ln, err := quic.Listen(t.Context(), net.JoinHostPort(addr, h.port), cfg, nil)
	require.NoError(t, err)
	h.acceptQUIC(t, ln)
}

func (h *site) acceptQUIC(t *testing.T, ln *quic.Listener) {
	t.Helper()
	_, h.port, _ = net.SplitHostPort(addrOf(ln))
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { // ends with ctx
		for {
			conn, err := ln.Accept(ctx)
			if err != nil {
				return
			}
			tasks.Go(func() {
				defer conn.Close()
				for {
					s, err := conn.AcceptStream(ctx)
					if err != nil {
						return
					}
					tasks.Go(func() { echo(ctx, s) })
				}
			})
		}
	})
	t.Cleanup(func() { cancel(); ln.Close(); tasks.Wait() })
}

// serveTLS accepts on addr, until the test ends.
func (h *site) serveTLS(t *testing.T, addr string, cfg *tls.Config) {
	t.Helper()
	below, err := tcp.Listen(t.Context(), net.JoinHostPort(addr, h.port), nil)
	require.NoError(t, err)
	h.acceptTLS(t, below, cfg)
}

func (h *site) acceptTLS(t *testing.T, below *tcp.Listener, cfg *tls.Config) {
	t.Helper()
	_, h.port, _ = net.SplitHostPort(addrOf(below))
	ln := tls.NewListener(below, cfg, nil)
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { // ends with ctx
		for {
			s, err := ln.Accept(ctx)
			if err != nil {
				return
			}
			tasks.Go(func() { echo(ctx, s) })
		}
	})
	t.Cleanup(func() { cancel(); ln.Close(); tasks.Wait() })
}

// stall accepts connections on addr and says nothing, until the test ends.
func (h *site) stall(t *testing.T, addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", net.JoinHostPort(addr, h.port))
	require.NoError(t, err)
	_, h.port, _ = net.SplitHostPort(ln.Addr().String())
	var tasks sync.WaitGroup
	var conns []net.Conn
	tasks.Go(func() { // ends with the listener
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
		}
	})
	t.Cleanup(func() {
		ln.Close()
		tasks.Wait()
		for _, conn := range conns {
			conn.Close()
		}
	})
}

// names is a resolver with one list of addresses and records for all names.
type names struct {
	addrs   []string
	records []happyeyeballs.Record
}

func (n names) Resolve(_ context.Context, q happyeyeballs.Query, answer func(happyeyeballs.Answer)) error {
	a := happyeyeballs.Answer{Family: happyeyeballs.IPv4}
	for _, s := range n.addrs {
		a.Addrs = append(a.Addrs, netip.MustParseAddr(s))
	}
	if q.Records != "" {
		answer(happyeyeballs.Answer{Records: n.records})
	}
	answer(a)
	return nil
}

// connector returns one for a site whose name is localhost.
func connector(t *testing.T, h *site, n names) *quic.Connector {
	t.Helper()
	_, client := tlsConfigs(t)
	client.NextProtos, client.ServerName = nil, ""
	return &quic.Connector{
		Addr: "localhost:" + h.port, TLS: client,
		Service: happyeyeballs.Service{Protocols: both},
		Config:  &quic.Config{Race: happyeyeballs.Config{Resolver: n}},
	}
}

// exchange sends over r, and wants it back.
func exchange(t *testing.T, r *quic.Raced) {
	t.Helper()
	_, err := r.Send(t.Context(), []byte("hello"))
	require.NoError(t, err)
	require.NoError(t, r.SendEOF(t.Context()))
	got, err := io.ReadAll(stream.NewReader(t.Context(), r))
	require.NoError(t, err)
	assert.Equal(t, "hello", string(got))
}

func connect(t *testing.T, c *quic.Connector) *quic.Raced {
	t.Helper()
	r, err := c.Connect(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { r.Close() })
	return r
}

func fact[T any](t *testing.T, p attr.Provider, k attr.Key[T]) T {
	t.Helper()
	v, err := k.Get(p)
	require.NoError(t, err, k.Name())
	return v
}

func TestWhatIsLikedBestWins(t *testing.T) {
	for _, first := range []happyeyeballs.Transport{happyeyeballs.QUIC, happyeyeballs.TCP} {
		t.Run(string(first), func(t *testing.T) {
			h := &site{}
			server, _ := tlsConfigs(t)
			h.serveBoth(t, server)
			c := connector(t, h, names{addrs: []string{"127.0.0.1"}})
			c.Config.Race.AttemptDelay = -1 // or a slow machine has both try
			if first == happyeyeballs.TCP {
				c.Service.Protocols = []happyeyeballs.Protocol{both[1], both[0]}
			}
			r := connect(t, c)
			exchange(t, r)
			assert.Equal(t, first, fact(t, r, quic.Over))
			assert.Equal(t, first == happyeyeballs.QUIC, r.Conn() != nil)
			assert.Equal(t, "strata-test", fact(t, r, tls.ALPN))
			assert.Equal(t, "localhost", fact(t, r, tls.ServerName))
			assert.Equal(t, "localhost", fact(t, r, quic.Host))
			assert.Equal(t, "127.0.0.1:"+h.port, fact(t, r, quic.RemoteAddrPort).String())
			race := fact(t, r, quic.Race)
			assert.Equal(t, first, race.Winner().Transport)
			require.NoError(t, r.Close())
			assert.Same(t, race, fact(t, r, quic.Race), "fixed")
			assert.Equal(t, first, fact(t, r, quic.Over), "fixed")
		})
	}
}

func TestTLSWinsWhereNobodyAnswersQUIC(t *testing.T) {
	h := &site{}
	server, _ := tlsConfigs(t)
	h.serveTLS(t, "127.0.0.1", server)
	r := connect(t, connector(t, h, names{addrs: []string{"127.0.0.1"}}))
	exchange(t, r)
	assert.Equal(t, happyeyeballs.TCP, fact(t, r, quic.Over))
	race := fact(t, r, quic.Race)
	require.Len(t, race.Attempts, 2)
	assert.Equal(t, happyeyeballs.Canceled, race.Attempts[0].Outcome)
	assert.GreaterOrEqual(t, race.Winner().Start, 250*time.Millisecond)
}

func TestAddressIsRaced(t *testing.T) {
	h := &site{}
	server, _ := tlsConfigs(t)
	h.serveQUIC(t, "127.0.0.1", server)
	c := connector(t, h, names{})
	c.Addr = "127.0.0.1:" + h.port
	r := connect(t, c)
	exchange(t, r)
	assert.Equal(t, "127.0.0.1", fact(t, r, quic.Host))
	assert.Equal(t, happyeyeballs.QUIC, fact(t, r, quic.Race).Winner().Transport)
}

func TestServerThatStallsInTLSLoses(t *testing.T) {
	h := &site{}
	server, _ := tlsConfigs(t)
	h.stall(t, "127.0.0.1")
	h.serveTLS(t, "127.0.0.2", server)
	c := connector(t, h, names{addrs: []string{"127.0.0.1", "127.0.0.2"}})
	c.Service.Protocols = both[1:]
	var kinds []happyeyeballs.EventKind
	c.Config.Race.Trace = func(e happyeyeballs.Event) {
		if e.Kind != happyeyeballs.Answered && e.Attempt.Addr.Addr().String() == "127.0.0.1" {
			kinds = append(kinds, e.Kind)
		}
	}
	r := connect(t, c)
	race := fact(t, r, quic.Race)
	assert.Equal(t, "127.0.0.2", race.Winner().Addr.Addr().String())
	assert.Equal(t, []happyeyeballs.EventKind{happyeyeballs.Started, happyeyeballs.Progressed, happyeyeballs.Ended}, kinds)
	assert.GreaterOrEqual(t, race.Winner().Start, 250*time.Millisecond)
}

func TestRecordLeadsToItsPort(t *testing.T) {
	h := &site{}
	server, _ := tlsConfigs(t)
	h.serveTLS(t, "127.0.0.1", server)
	port, err := strconv.ParseUint(h.port, 10, 16)
	require.NoError(t, err)
	c := connector(t, h, names{addrs: []string{"127.0.0.1"}, records: []happyeyeballs.Record{
		{Priority: 7, Target: "svc.test", ALPN: []string{"strata-test"}, NoDefaultALPN: true, Port: uint16(port)},
	}})
	c.Addr, c.Service.Records = "localhost:443", "_test"
	r := connect(t, c)
	exchange(t, r)
	won := fact(t, r, quic.Race).Winner()
	assert.Equal(t, uint16(7), won.Priority)
	assert.Equal(t, "svc.test", won.Target)
	assert.Equal(t, "localhost", fact(t, r, tls.ServerName), "the certificate is the host's")
}

func TestProtocolsOfTheTLSConfigAreForBoth(t *testing.T) {
	h := &site{}
	server, _ := tlsConfigs(t)
	h.serveQUIC(t, "127.0.0.1", server)
	c := connector(t, h, names{addrs: []string{"127.0.0.1"}})
	c.Service.Protocols, c.TLS.NextProtos = nil, []string{"other", "strata-test"}
	r := connect(t, c)
	assert.Equal(t, "strata-test", fact(t, r, tls.ALPN))
	assert.Equal(t, []string{"other", "strata-test"}, fact(t, r, quic.Race).Winner().ALPN)
}

func TestConnectWithoutProtocolsIsRefused(t *testing.T) {
	tests := []struct {
		name string
		c    quic.Connector
		want string
	}{
		{"none", quic.Connector{Addr: "localhost:1"}, "no protocols"},
		{"QUIC without a name", quic.Connector{
			Addr:    "localhost:1",
			Service: happyeyeballs.Service{Protocols: []happyeyeballs.Protocol{{Transport: happyeyeballs.QUIC}}},
		}, "no ALPN"},
		{"no port", quic.Connector{Addr: "localhost", Service: happyeyeballs.Service{Protocols: both}}, "missing port"},
		{"no name", quic.Connector{Addr: "\u2028.test:1", Service: happyeyeballs.Service{Protocols: both}}, "not a host name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.c.Connect(t.Context())
			failed, ok := errors.AsType[*quic.DialError](err)
			require.True(t, ok, "%v", err)
			assert.ErrorContains(t, failed, tt.want)
			assert.Equal(t, tt.c.Addr, failed.Addr)
		})
	}
}

func TestEveryWayHasItsError(t *testing.T) {
	h := &site{}
	server, _ := tlsConfigs(t)
	server.NextProtos = []string{"other"}
	h.serveBoth(t, server)
	_, err := connector(t, h, names{addrs: []string{"127.0.0.1"}}).Connect(t.Context())
	failed, ok := errors.AsType[*quic.DialError](err)
	require.True(t, ok, "%v", err)
	require.Len(t, failed.Errs, 2)
	assert.ErrorContains(t, failed.Errs[0], "quic 127.0.0.1:"+h.port)
	assert.ErrorContains(t, failed.Errs[1], "tcp 127.0.0.1:"+h.port)
	_, ok = errors.AsType[*quic.TransportError](failed.Errs[0])
	assert.True(t, ok, "%v", failed.Errs[0])
	_, ok = errors.AsType[*tls.HandshakeError](failed.Errs[1])
	assert.True(t, ok, "%v", failed.Errs[1])
	assert.Len(t, failed.Race.Attempts, 2)
}

func TestServiceThatSpeaksOtherProtocolsIsTold(t *testing.T) {
	c := connector(t, &site{port: "443"}, names{addrs: []string{"127.0.0.1"}, records: []happyeyeballs.Record{
		{Priority: 1, Target: "localhost", ALPN: []string{"h3"}, NoDefaultALPN: true},
	}})
	c.Service.Records = "https"
	_, err := c.Connect(t.Context())
	mismatch, ok := errors.AsType[*happyeyeballs.ProtocolError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, []string{"h3"}, mismatch.Offered)
}

func TestConnectionEndsWithItsStream(t *testing.T) {
	server, _ := tlsConfigs(t)
	for name, used := range map[string]bool{"after sending": true, "unused": false} {
		t.Run(name, func(t *testing.T) {
			h := &site{}
			h.serveQUIC(t, "127.0.0.1", server)
			r, err := connector(t, h, names{addrs: []string{"127.0.0.1"}}).Connect(t.Context())
			require.NoError(t, err)
			conn := quic.ConnBelow(r)
			if used {
				exchange(t, r)
			}
			require.NoError(t, r.Close())
			_, err = conn.AcceptStream(t.Context()) // nobody opens one
			require.Error(t, err)
			if !used {
				assert.ErrorIs(t, err, net.ErrClosed, "at once")
			}
		})
	}
}

func TestAbortedStreamTakesItsConnectionAlong(t *testing.T) {
	h := &site{}
	server, _ := tlsConfigs(t)
	h.serveQUIC(t, "127.0.0.1", server)
	r := connect(t, connector(t, h, names{addrs: []string{"127.0.0.1"}}))
	conn := r.Conn()
	require.NoError(t, stream.Abort(r, quic.Code(7)))
	_, err := conn.OpenStream(t.Context())
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestCanceledConnectIsToldByItsCause(t *testing.T) {
	h := &site{}
	h.stall(t, "127.0.0.1")
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := connector(t, h, names{addrs: []string{"127.0.0.1"}})
	c.Config.Race.Trace = func(e happyeyeballs.Event) {
		if e.Kind == happyeyeballs.Progressed {
			cancel(enough)
		}
	}
	_, err := c.Connect(ctx)
	require.ErrorIs(t, err, enough)
	require.ErrorIs(t, err, context.Canceled)
	_, err = c.Connect(ctx)
	require.ErrorIs(t, err, enough)
}

func TestEarlyDataDoesNotWinBeforeTheHandshake(t *testing.T) {
	h := &site{}
	server, _ := tlsConfigs(t)
	h.serveQUIC(t, "127.0.0.1", server)
	c := connector(t, h, names{addrs: []string{"127.0.0.1"}})
	c.Config.EarlyData = true
	c.TLS.ClientSessionCache = cryptotls.NewLRUClientSessionCache(1)
	for range 2 {
		r := connect(t, c)
		assert.Equal(t, "strata-test", fact(t, r, tls.ALPN))
		exchange(t, r) // the session ticket comes with it
		require.NoError(t, r.Close())
	}
}

// TestEncryptedClientHelloOfTheRecordIsUsed with the server's key, and with an
// old one, instead of which the server gives the right one.
func TestEncryptedClientHelloOfTheRecordIsUsed(t *testing.T) {
	ca, err := testpki.New(time.Now())
	require.NoError(t, err)
	leaf := testpki.Server
	leaf.Names = append([]string{"public.example"}, leaf.Names...)
	cert, err := ca.Issue(leaf)
	require.NoError(t, err)
	key, list, err := testpki.NewECHKey("public.example")
	require.NoError(t, err)
	_, outdated, err := testpki.NewECHKey("public.example")
	require.NoError(t, err)
	server := &tls.Config{
		Certificates: []tls.Certificate{cert}, NextProtos: []string{"strata-test"},
		EncryptedClientHelloKeys: []cryptotls.EncryptedClientHelloKey{key},
	}
	for i, p := range both {
		t.Run(string(p.Transport), func(t *testing.T) {
			h := &site{}
			if p.Transport == happyeyeballs.QUIC {
				h.serveQUIC(t, "127.0.0.1", server)
			} else {
				h.serveTLS(t, "127.0.0.1", server)
			}
			for name, ech := range map[string][]byte{"right": list, "outdated": outdated} {
				t.Run(name, func(t *testing.T) {
					c := connector(t, h, names{addrs: []string{"127.0.0.1"}, records: []happyeyeballs.Record{
						{Priority: 1, Target: "localhost", ALPN: []string{"strata-test"}, ECH: ech},
					}})
					c.TLS.RootCAs = ca.Pool()
					c.Service = happyeyeballs.Service{Protocols: both[i : i+1], Records: "_test", ECH: happyeyeballs.ECHRelied}
					r := connect(t, c)
					assert.True(t, fact(t, r, tls.ECHAccepted))
					exchange(t, r)
				})
			}
		})
	}
}

func TestEachTransportHasItsConfig(t *testing.T) {
	server, _ := tlsConfigs(t)
	local := netip.MustParseAddrPort("127.0.0.2:0")
	for i, p := range both {
		t.Run(string(p.Transport), func(t *testing.T) {
			h := &site{}
			h.serveBoth(t, server)
			c := connector(t, h, names{addrs: []string{"127.0.0.1"}})
			c.Service.Protocols = both[i : i+1]
			if p.Transport == happyeyeballs.QUIC {
				c.Config.LocalAddr, c.Config.IdleTimeout = local, time.Hour
			} else {
				c.TCP, c.Options = &tcp.DialConfig{LocalAddr: local}, &tls.Options{AllowTruncation: true}
			}
			r := connect(t, c)
			assert.Equal(t, local.Addr(), fact(t, r, quic.LocalAddrPort).Addr())
			if p.Transport == happyeyeballs.QUIC {
				assert.Equal(t, time.Hour, fact(t, r, quic.IdleTimeout))
			} else {
				assert.True(t, fact(t, r, tls.AllowsTruncation))
			}
			exchange(t, r)
		})
	}
}
