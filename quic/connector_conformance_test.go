package quic_test

import (
	"context"
	"errors"
	"testing"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// racedPipe makes streams that a Connector makes over one transport. The ends
// are closed together, so that nothing lingers.
func racedPipe(over happyeyeballs.Transport) func(context.Context) (a, b stream.ByteStream, err error) {
	return func(ctx context.Context) (stream.ByteStream, stream.ByteStream, error) {
		configs, err := usual()
		if err != nil {
			return nil, nil, err
		}
		accept, addr, stop, err := acceptor(ctx, over, configs[0])
		if err != nil {
			return nil, nil, err
		}
		defer stop()
		type accepted struct {
			s   stream.ByteStream
			err error
		}
		served := make(chan accepted, 1)
		go func() { // ends with accept
			s, err := accept(ctx)
			served <- accepted{s, err}
		}()
		c := &quic.Connector{
			Addr: addr, TLS: configs[1], Config: &quic.Config{StreamWindow: window},
			Service: happyeyeballs.Service{Protocols: []happyeyeballs.Protocol{{ALPN: "strata-test", Transport: over}}},
		}
		r, err := greeter{c}.Connect(ctx)
		if err != nil {
			return nil, nil, err
		}
		peer := <-served
		if peer.err != nil {
			return nil, nil, peer.err
		}
		_, err = peer.s.Receive(ctx, make([]byte, 1))
		return r, peer.s, err
	}
}

// acceptor listens for one connection.
func acceptor(ctx context.Context, over happyeyeballs.Transport, cfg *tls.Config) (accept func(context.Context) (stream.ByteStream, error), addr string, stop func(), err error) {
	if over == happyeyeballs.TCP {
		below, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
		if err != nil {
			return nil, "", nil, err
		}
		ln := tls.NewListener(below, cfg, nil)
		return func(ctx context.Context) (stream.ByteStream, error) { return ln.Accept(ctx) }, addrOf(below), func() { ln.Close() }, nil
	}
	ln, err := quic.Listen(ctx, "127.0.0.1:0", cfg, &quic.Config{StreamWindow: window})
	if err != nil {
		return nil, "", nil, err
	}
	return func(ctx context.Context) (stream.ByteStream, error) {
		conn, err := ln.Accept(ctx)
		if err != nil {
			return nil, err
		}
		s, err := conn.AcceptStream(ctx)
		if err != nil {
			return nil, err
		}
		return s, nil
	}, addrOf(ln), func() { ln.Close() }, nil
}

// The streams below have suites of their own: storms may be short.
func TestRacedStreamsHoldTheContract(t *testing.T) {
	t.Run("quic", func(t *testing.T) {
		streamtest.TestByteStream(t, &streamtest.Maker{
			Pipe:         racedPipe(happyeyeballs.QUIC),
			Holds:        window + 2048,
			PerDirection: true,
			Shared:       []string{quic.RTT.Name(), quic.Stats.Name()},
			Operations:   100,
		})
	})
	t.Run("tcp", func(t *testing.T) {
		streamtest.TestByteStream(t, &streamtest.Maker{Pipe: racedPipe(happyeyeballs.TCP), Encodes: true, Operations: 100})
	})
}

// A greeter connects and says something, since a server of QUIC does not learn
// of a stream before.
type greeter struct{ *quic.Connector }

func (g greeter) Connect(ctx context.Context) (*quic.Raced, error) {
	r, err := g.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := r.Send(ctx, []byte("!")); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func TestRacingConnectorHoldsTheContract(t *testing.T) {
	for _, p := range both {
		t.Run(string(p.Transport), func(t *testing.T) {
			streamtest.TestConnector(t, &streamtest.ConnectorMaker[*quic.Raced]{
				Connector: func(ctx context.Context) (stream.Connector[*quic.Raced], func(context.Context) (stream.ByteStream, error), func() error, error) {
					configs, err := usual()
					if err != nil {
						return nil, nil, nil, err
					}
					accept, addr, stop, err := acceptor(ctx, p.Transport, configs[0])
					if err != nil {
						return nil, nil, nil, err
					}
					c := &quic.Connector{
						Addr: addr, TLS: configs[1], Service: happyeyeballs.Service{Protocols: []happyeyeballs.Protocol{p}},
					}
					greeted := func(ctx context.Context) (stream.ByteStream, error) {
						s, err := accept(ctx)
						if err == nil {
							_, err = s.Receive(ctx, make([]byte, 1))
						}
						return s, err
					}
					return greeter{c}, greeted, func() error { stop(); return nil }, nil
				},
			})
		})
	}
}
