package quic_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// usual is what servers and clients need for a handshake.
var usual = sync.OnceValues(func() (configs [2]*tls.Config, err error) {
	ca, err := testpki.New(time.Now())
	if err != nil {
		return configs, err
	}
	cert, err := ca.Issue(testpki.Server)
	if err != nil {
		return configs, err
	}
	protos := []string{"strata-test"}
	return [2]*tls.Config{
		{Certificates: []tls.Certificate{cert}, NextProtos: protos},
		{RootCAs: ca.Pool(), ServerName: "localhost", NextProtos: protos},
	}, nil
})

func tlsConfigs(tb testing.TB) (server, client *tls.Config) {
	tb.Helper()
	configs, err := usual()
	require.NoError(tb, err)
	return configs[0].Clone(), configs[1].Clone()
}

func addrOf(p attr.Provider) string {
	addr, _ := quic.LocalAddr.Lookup(p)
	return addr.String()
}

func listen(tb testing.TB, cfg *quic.Config) *quic.Listener {
	tb.Helper()
	server, _ := tlsConfigs(tb)
	ln, err := quic.Listen(tb.Context(), "127.0.0.1:0", server, cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { ln.Close() })
	return ln
}

func dial(tb testing.TB, ln *quic.Listener, cfg *quic.Config) *quic.Conn {
	tb.Helper()
	_, client := tlsConfigs(tb)
	c, err := quic.Dial(tb.Context(), addrOf(ln), client, cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { c.Close() })
	return c
}

// conns returns the ends of a new connection over loopback.
func conns(ctx context.Context, cfg *quic.Config) (client, server *quic.Conn, err error) {
	tlsConfigs, err := usual()
	if err != nil {
		return nil, nil, err
	}
	ln, err := quic.Listen(ctx, "127.0.0.1:0", tlsConfigs[0], cfg)
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	if client, err = quic.Dial(ctx, addrOf(ln), tlsConfigs[1], cfg); err != nil {
		return nil, nil, err
	}
	if server, err = ln.Accept(ctx); err != nil {
		client.Close()
		return nil, nil, err
	}
	return client, server, nil
}

func connected(tb testing.TB, cfg *quic.Config) (client, server *quic.Conn) {
	tb.Helper()
	client, server, err := conns(tb.Context(), cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// streams returns the ends of a new stream. The peer learns of a stream by
// what is sent on it, so that has to be something.
func streams(ctx context.Context, client, server *quic.Conn) (a, b *quic.Stream, err error) {
	if a, err = client.OpenStream(ctx); err != nil {
		return nil, nil, err
	}
	if _, err = a.Send(ctx, []byte("!")); err != nil {
		return nil, nil, err
	}
	if b, err = server.AcceptStream(ctx); err != nil {
		return nil, nil, err
	}
	_, err = b.Receive(ctx, make([]byte, 1))
	return a, b, err
}

func streamed(tb testing.TB, cfg *quic.Config) (a, b *quic.Stream) {
	tb.Helper()
	client, server := connected(tb, cfg)
	a, b, err := streams(tb.Context(), client, server)
	require.NoError(tb, err)
	return a, b
}

// A pair is a connection that is closed with the last of what is on it.
type pair struct {
	client, server *quic.Conn
	live           atomic.Int32
}

func (p *pair) left() {
	if p.live.Add(-1) == 0 {
		p.client.Close()
		p.server.Close()
	}
}

// pairOf returns a new connection that ends with the last of two.
func pairOf(ctx context.Context, cfg *quic.Config) (*pair, error) {
	client, server, err := conns(ctx, cfg)
	if err != nil {
		return nil, err
	}
	p := &pair{client: client, server: server}
	p.live.Store(2)
	return p, nil
}

// close closes the pair at once.
func (p *pair) close() {
	p.client.Close()
	p.server.Close()
}

// A paired is one of two on their own connection.
type paired[S stream.Resource] struct {
	s    S
	pair *pair
	once sync.Once
}

func (p *paired[S]) Close() error {
	defer p.once.Do(p.pair.left)
	return p.s.Close()
}

func (p *paired[S]) Abort(cause error) error {
	defer p.once.Do(p.pair.left)
	return stream.Abort(p.s, cause)
}

func (p *paired[S]) Attributes() *attr.Set { return p.s.Attributes() }

type pairedStream struct {
	paired[*quic.Stream]
	receiving
	sending
}

type pairedReceiver struct {
	paired[*quic.ReceiveStream]
	receiving
}

type pairedSender struct {
	paired[*quic.SendStream]
	sending
}

type pairedPackets struct {
	paired[*quic.Packets]
	stream.PacketStream[[]byte]
}

func (p *pairedPackets) Close() error          { return p.paired.Close() }
func (p *pairedPackets) Attributes() *attr.Set { return p.paired.Attributes() }

// receiving and sending are the methods of a stream that pass through.
type receiving interface {
	Receive(ctx context.Context, p []byte) (int, error)
	WaitReceive(ctx context.Context) error
}

type sending interface {
	Send(ctx context.Context, p []byte) (int, error)
	TrySend(p []byte) (int, error)
	SendEOF(ctx context.Context) error
}

// pipe returns a function that makes streams for a suite.
func pipe(cfg *quic.Config) func(context.Context) (a, b stream.ByteStream, err error) {
	return func(ctx context.Context) (stream.ByteStream, stream.ByteStream, error) {
		p, err := pairOf(ctx, cfg)
		if err != nil {
			return nil, nil, err
		}
		a, b, err := streams(ctx, p.client, p.server)
		if err != nil {
			p.close()
			return nil, nil, err
		}
		end := func(s *quic.Stream) stream.ByteStream {
			return &pairedStream{paired[*quic.Stream]{s: s, pair: p}, s, s}
		}
		return end(a), end(b), nil
	}
}

// oneWayPipe is pipe for one-way streams.
func oneWayPipe(cfg *quic.Config) func(context.Context) (stream.ByteSender, stream.ByteReceiver, error) {
	return func(ctx context.Context) (stream.ByteSender, stream.ByteReceiver, error) {
		p, err := pairOf(ctx, cfg)
		if err != nil {
			return nil, nil, err
		}
		s, r, err := oneWay(ctx, p.client, p.server)
		if err != nil {
			p.close()
			return nil, nil, err
		}
		return &pairedSender{paired[*quic.SendStream]{s: s, pair: p}, s},
			&pairedReceiver{paired[*quic.ReceiveStream]{s: r, pair: p}, r}, nil
	}
}

func oneWay(ctx context.Context, client, server *quic.Conn) (*quic.SendStream, *quic.ReceiveStream, error) {
	s, err := client.OpenSendStream(ctx)
	if err != nil {
		return nil, nil, err
	}
	if _, err = s.Send(ctx, []byte("!")); err != nil {
		return nil, nil, err
	}
	r, err := server.AcceptReceiveStream(ctx)
	if err != nil {
		return nil, nil, err
	}
	_, err = r.Receive(ctx, make([]byte, 1))
	return s, r, err
}

// packetPipe is pipe for packets.
func packetPipe(cfg *quic.Config) func(context.Context) (a, b stream.PacketStream[[]byte], err error) {
	return func(ctx context.Context) (stream.PacketStream[[]byte], stream.PacketStream[[]byte], error) {
		p, err := pairOf(ctx, cfg)
		if err != nil {
			return nil, nil, err
		}
		end := func(c *quic.Conn) stream.PacketStream[[]byte] {
			return &pairedPackets{paired[*quic.Packets]{s: c.Packets(), pair: p}, c.Packets()}
		}
		return end(p.client), end(p.server), nil
	}
}
