package main

import (
	"context"
	"errors"
	"io"
	"net"

	quicgo "github.com/quic-go/quic-go"

	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/tls"
)

// quicCases compare connections over loopback with those of quic-go, with the
// same configuration and a socket for each end.
var quicCases = []benchCase{
	{Name: "quic/pingpong/background", Target: 1.05, AllocFree: true, OneCore: true, Setup: quicStreams(background, pingPong)},
	{Name: "quic/pingpong/one-ctx", Target: 1.05, AllocFree: true, OneCore: true, Setup: quicStreams(oneContext, pingPong)},
	{Name: "quic/bulk/background", Target: 1.05, OneCore: true, Setup: quicStreams(background, bulk)},
	{Name: "quic/bulk/one-ctx", Target: 1.05, OneCore: true, Setup: quicStreams(oneContext, bulk)},
	{Name: "quic/open", Target: 1.10, OneCore: true, Setup: quicOpens},
	{Name: "quic/packets", Target: 1.10, OneCore: true, Setup: quicPackets},
}

// quicPair returns the ends of a connection of ours.
func quicPair(undo *cleanup) (client, server *quic.Conn, err error) {
	clientTLS, serverTLS, err := quicTLS()
	if err != nil {
		return nil, nil, err
	}
	ctx := context.Background()
	cfg := &quic.Config{Packets: true}
	ln, err := quic.Listen(ctx, "127.0.0.1:0", serverTLS, cfg)
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	addr, err := quic.LocalAddr.Get(ln)
	if err != nil {
		return nil, nil, err
	}
	if client, err = quic.Dial(ctx, addr.String(), clientTLS, cfg); err != nil {
		return nil, nil, err
	}
	undo.add(client.Close)
	if server, err = ln.Accept(ctx); err != nil {
		return nil, nil, err
	}
	undo.add(server.Close)
	return client, server, nil
}

// quicGoPair returns the ends of a connection of theirs.
func quicGoPair(undo *cleanup) (client, server *quicgo.Conn, err error) {
	clientTLS, serverTLS, err := quicTLS()
	if err != nil {
		return nil, nil, err
	}
	ctx := context.Background()
	cfg := &quicgo.Config{EnableDatagrams: true}
	here, err := quicGoTransport(undo)
	if err != nil {
		return nil, nil, err
	}
	there, err := quicGoTransport(undo)
	if err != nil {
		return nil, nil, err
	}
	ln, err := there.Listen(serverTLS, cfg)
	if err != nil {
		return nil, nil, err
	}
	undo.add(ln.Close)
	if client, err = here.Dial(ctx, ln.Addr(), clientTLS, cfg); err != nil {
		return nil, nil, err
	}
	undo.add(func() error { return client.CloseWithError(0, "") })
	if server, err = ln.Accept(ctx); err != nil {
		return nil, nil, err
	}
	undo.add(func() error { return server.CloseWithError(0, "") })
	return client, server, nil
}

func quicGoTransport(undo *cleanup) (*quicgo.Transport, error) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	t := &quicgo.Transport{Conn: conn}
	undo.add(func() error { return errors.Join(t.Close(), conn.Close()) })
	return t, nil
}

func quicTLS() (client, server *tls.Config, err error) {
	client, server, err = tlsVersion{version: tls.VersionTLS13}.configs(false)
	if err != nil {
		return nil, nil, err
	}
	client.NextProtos, server.NextProtos = []string{"bench"}, []string{"bench"}
	return client, server, nil
}

// theirStream is a stream of quic-go as an end.
type theirStream struct{ *quicgo.Stream }

func (s theirStream) Receive(_ context.Context, p []byte) (int, error) { return s.Read(p) }
func (s theirStream) Send(_ context.Context, p []byte) (int, error)    { return s.Write(p) }

func (s theirStream) Close() error {
	s.CancelRead(0)
	_ = s.Stream.Close() // fails if the peer was faster
	return nil
}

// An opener opens a stream on one side and accepts it on the other, where it
// comes up once something was sent.
type opener struct {
	open, accept func(context.Context) (end, error)
	finish       func(context.Context, end) error // sends a FIN
}

func ourOpener(client, server *quic.Conn) opener {
	return opener{
		open:   func(ctx context.Context) (end, error) { return client.OpenStream(ctx) },
		accept: func(ctx context.Context) (end, error) { return server.AcceptStream(ctx) },
		finish: func(ctx context.Context, e end) error { return e.(*quic.Stream).SendEOF(ctx) },
	}
}

func theirOpener(client, server *quicgo.Conn) opener {
	wrap := func(s *quicgo.Stream, err error) (end, error) { return theirStream{s}, err }
	return opener{
		open:   func(ctx context.Context) (end, error) { return wrap(client.OpenStreamSync(ctx)) },
		accept: func(ctx context.Context) (end, error) { return wrap(server.AcceptStream(ctx)) },
		finish: func(_ context.Context, e end) error { return e.(theirStream).Stream.Close() },
	}
}

// pair opens a stream, with a byte that the other side takes off.
func (o opener) pair() (a, b end, err error) {
	ctx := context.Background()
	if a, err = o.open(ctx); err != nil {
		return nil, nil, err
	}
	if _, err = a.Send(ctx, []byte("!")); err != nil {
		return nil, nil, err
	}
	if b, err = o.accept(ctx); err != nil {
		return nil, nil, err
	}
	_, err = b.Receive(ctx, make([]byte, 1))
	return a, b, err
}

// openers makes a connection of each kind.
func openers(undo *cleanup) (ours, theirs opener, err error) {
	client, server, err := quicPair(undo)
	if err != nil {
		return ours, theirs, err
	}
	goClient, goServer, err := quicGoPair(undo)
	if err != nil {
		return ours, theirs, err
	}
	return ourOpener(client, server), theirOpener(goClient, goServer), nil
}

func quicStreams(p policy, traffic func(*cleanup, end, end, policy) side) func(*cleanup) (ours, theirs side, err error) {
	return func(undo *cleanup) (ours, theirs side, err error) {
		us, them, err := openers(undo)
		if err != nil {
			return nil, nil, err
		}
		a, b, err := us.pair()
		if err != nil {
			return nil, nil, err
		}
		c, d, err := them.pair()
		if err != nil {
			return nil, nil, err
		}
		return traffic(undo, a, untilClosed{b}, p), traffic(undo, c, untilClosed{d}, p), nil
	}
}

// An untilClosed takes it for the end that its peer was closed: with QUIC's
// Close the peer's direction ends too, for which there is no order.
type untilClosed struct{ end }

func (e untilClosed) Receive(ctx context.Context, p []byte) (int, error) {
	n, err := e.end.Receive(ctx, p)
	if err != nil {
		err = io.EOF
	}
	return n, err
}

// quicOpens opens streams, each for a byte and an end each way.
func quicOpens(undo *cleanup) (ours, theirs side, err error) {
	us, them, err := openers(undo)
	if err != nil {
		return nil, nil, err
	}
	return us.side(undo), them.side(undo), nil
}

func (o opener) side(undo *cleanup) side {
	ctx, cancel := context.WithCancel(context.Background())
	undo.background(closing(cancel), func() error { return o.serve(ctx) })
	return repeat(oneContext, func(ctx context.Context) error {
		s, err := o.open(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		return o.exchange(ctx, s)
	})
}

// serve answers streams until ctx is done.
func (o opener) serve(ctx context.Context) error {
	for {
		s, err := o.accept(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = o.exchange(ctx, s)
			s.Close()
		}
		if err != nil {
			return err
		}
	}
}

// exchange sends a byte and an end, and receives the same.
func (o opener) exchange(ctx context.Context, s end) error {
	if _, err := s.Send(ctx, []byte("x")); err != nil {
		return err
	}
	if err := o.finish(ctx, s); err != nil {
		return err
	}
	p := make([]byte, 1)
	for {
		if _, err := s.Receive(ctx, p); err != nil {
			return unlessEOF(err)
		}
	}
}

type closing context.CancelFunc

func (c closing) Close() error {
	c()
	return nil
}

// quicPackets sends packets to and fro.
func quicPackets(undo *cleanup) (ours, theirs side, err error) {
	client, server, err := quicPair(undo)
	if err != nil {
		return nil, nil, err
	}
	c, d := client.Packets(), server.Packets()
	ours = packetPingPong(undo, d.Send, d.Receive, c.Send, c.Receive)
	goClient, goServer, err := quicGoPair(undo)
	if err != nil {
		return nil, nil, err
	}
	send := func(c *quicgo.Conn) func(context.Context, []byte) error {
		return func(_ context.Context, p []byte) error { return c.SendDatagram(p) }
	}
	theirs = packetPingPong(undo, send(goServer), goServer.ReceiveDatagram, send(goClient), goClient.ReceiveDatagram)
	return ours, theirs, nil
}

func packetPingPong(
	undo *cleanup,
	answer func(context.Context, []byte) error, hear func(context.Context) ([]byte, error),
	send func(context.Context, []byte) error, receive func(context.Context) ([]byte, error),
) side {
	ctx, cancel := context.WithCancel(context.Background())
	undo.background(closing(cancel), func() error {
		for {
			packet, err := hear(ctx)
			if ctx.Err() != nil {
				return nil
			}
			if err == nil {
				err = answer(ctx, packet)
			}
			if err != nil {
				return err
			}
		}
	})
	packet := make([]byte, 1000)
	return repeat(oneContext, func(ctx context.Context) error {
		if err := send(ctx, packet); err != nil {
			return err
		}
		_, err := receive(ctx)
		return err
	})
}
