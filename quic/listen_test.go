package quic_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/udp"
)

// A dialer makes streams on connections of their own, which have to live until
// what is on them is no longer needed: until the stream is closed here, and the
// listener too.
type streamDialer struct {
	addr string

	mu     sync.Mutex
	closed bool
	conns  []*quic.Conn // whose stream is closed
}

func (d *streamDialer) connect(ctx context.Context) (stream.ByteStream, error) {
	configs, err := usual()
	if err != nil {
		return nil, err
	}
	var cfg quic.Config
	if d.isClosed() {
		cfg.HandshakeTimeout = time.Second // which nobody is there to answer within
	}
	c, err := quic.Dial(ctx, d.addr, configs[1], &cfg)
	if err != nil {
		return nil, err
	}
	s, err := c.OpenStream(ctx)
	if err == nil {
		_, err = s.Send(ctx, []byte("!"))
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return &dialedStream{stream.Wrapper{ByteStream: s}, d, c}, nil
}

func (d *streamDialer) free(c *quic.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		c.Close()
	} else {
		d.conns = append(d.conns, c)
	}
}

func (d *streamDialer) isClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

func (d *streamDialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, c := range d.conns {
		c.Close()
	}
}

type dialedStream struct {
	stream.Wrapper
	dialer *streamDialer
	c      *quic.Conn
}

func (s *dialedStream) Close() error {
	defer s.dialer.free(s.c)
	return s.ByteStream.Close()
}

func (s *dialedStream) Abort(cause error) error {
	defer s.dialer.free(s.c)
	return stream.Abort(s.ByteStream, cause)
}

// A greeted listener takes off each stream what made it known.
type greeted struct {
	*listener.Prepared[*quic.Stream, *quic.Stream]
	dialer *streamDialer
}

func (g greeted) Close() error {
	defer g.dialer.close()
	return g.Prepared.Close()
}

func greet(ln stream.Listener[*quic.Stream], d *streamDialer) stream.Listener[*quic.Stream] {
	return greeted{listener.Prepare(ln, func(ctx context.Context, s *quic.Stream) (*quic.Stream, error) {
		_, err := s.Receive(ctx, make([]byte, 1))
		return s, err
	}, nil), d}
}

func TestStreamListenerHoldsTheContract(t *testing.T) {
	server, _ := tlsConfigs(t)
	streamtest.TestListener(t, &streamtest.ListenerMaker[*quic.Stream]{
		Listen: func(ctx context.Context) (stream.Listener[*quic.Stream], func(context.Context) (stream.ByteStream, error), error) {
			ln, err := quic.Listen(ctx, "127.0.0.1:0", server, nil)
			if err != nil {
				return nil, nil, err
			}
			d := &streamDialer{addr: addrOf(ln)}
			return greet(quic.NewStreamListener(ln, nil), d), d.connect, nil
		},
	})
}

func TestStreamsOfAConnHoldTheContractOfAListener(t *testing.T) {
	ctx := t.Context()
	client, server := connected(t, nil)
	ln := server.Streams()
	done, cancel := context.WithCancel(ctx)
	cancel()
	_, err := ln.Accept(done)
	require.ErrorIs(t, err, context.Canceled)

	waiting := make(chan error, 1)
	go func() {
		_, err := ln.Accept(ctx)
		waiting <- err
	}()
	s, err := client.OpenStream(ctx)
	require.NoError(t, err)
	_, err = s.Send(ctx, []byte("x"))
	require.NoError(t, err)
	require.NoError(t, <-waiting)

	go func() {
		_, err := ln.Accept(ctx)
		waiting <- err
	}()
	require.NoError(t, ln.Close())
	require.ErrorIs(t, <-waiting, net.ErrClosed)
	_, err = ln.Accept(ctx)
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestTheAddressIsFreeOnceTheListenerAndItsConnsAreClosed(t *testing.T) {
	ctx := t.Context()
	server, _ := tlsConfigs(t)
	ln := listen(t, nil)
	client := dial(t, ln, nil)
	accepted, err := ln.Accept(ctx)
	require.NoError(t, err)
	addr := addrOf(ln)

	require.NoError(t, ln.Close())
	a, b, err := streams(ctx, client, accepted)
	require.NoError(t, err, "an accepted connection outlives its listener")
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())

	require.NoError(t, accepted.Close())
	again, err := quic.Listen(ctx, addr, server, nil)
	require.NoError(t, err)
	require.NoError(t, again.Close())
	again, err = quic.Listen(ctx, addr, server, nil)
	require.NoError(t, err, "Close of a listener without connections frees the address")
	require.NoError(t, again.Close())
}

func TestConnsThatNobodyAcceptedAreClosed(t *testing.T) {
	ln := listen(t, nil)
	client := dial(t, ln, nil)
	require.NoError(t, ln.Close())
	_, err := client.AcceptStream(t.Context())
	require.ErrorIs(t, err, stream.ErrBroken)
}

// A transport that is about to end takes no further connection: its end would
// close that, which ends the transport, and wait for itself.
func TestAnAcceptThatComesBackWhenTheTransportEndsHasNothing(t *testing.T) {
	ln := listen(t, nil)
	held, end := quic.HoldAccept(ln), quic.StopShort(ln)
	accepted := make(chan error, 1)
	go func() {
		_, err := ln.Accept(t.Context())
		accepted <- err
	}()
	client := dial(t, ln, nil)
	<-held.Back
	require.NoError(t, ln.Close())
	close(held.Leave)
	require.ErrorIs(t, <-accepted, net.ErrClosed)
	_, err := client.AcceptStream(t.Context())
	require.ErrorIs(t, err, stream.ErrBroken, "it was told")
	require.NoError(t, end())
}

func TestATransportListensAndDialsOnOneSocket(t *testing.T) {
	ctx := t.Context()
	serverTLS, clientTLS := tlsConfigs(t)
	transport := func() *quic.Transport {
		conn, err := udp.Listen(ctx, "127.0.0.1:0", nil)
		require.NoError(t, err)
		tr := quic.NewTransport(conn, nil)
		t.Cleanup(func() { tr.Close() })
		return tr
	}
	here, there := transport(), transport()
	lns := make(map[*quic.Transport]*quic.Listener)
	for _, tr := range []*quic.Transport{here, there} {
		ln, err := tr.Listen(ctx, serverTLS, nil)
		require.NoError(t, err)
		lns[tr] = ln
		_, err = tr.Listen(ctx, serverTLS, nil)
		require.ErrorContains(t, err, "already")
	}
	for _, way := range [][2]*quic.Transport{{here, there}, {there, here}} {
		addr, _ := quic.LocalAddr.Lookup(way[1])
		client, err := way[0].Dial(ctx, addr, clientTLS, nil)
		require.NoError(t, err)
		server, err := lns[way[1]].Accept(ctx)
		require.NoError(t, err)
		assert.Equal(t, addrOf(way[0]), addrOf(client))
		peer, err := quic.RemoteAddr.Get(server)
		require.NoError(t, err)
		assert.Equal(t, addrOf(way[0]), peer.String())
		_, _, err = streams(ctx, client, server)
		require.NoError(t, err)
	}

	// A listener may follow another while connections go on.
	require.NoError(t, lns[there].Close())
	ln, err := there.Listen(ctx, serverTLS, nil)
	require.NoError(t, err)
	require.NoError(t, there.Close())
	_, err = ln.Accept(ctx)
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = there.Listen(ctx, serverTLS, nil)
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = there.Dial(ctx, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}, clientTLS, nil)
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestServeServesStreamsAsAnyOther(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	ln := listen(t, nil)
	client := dial(t, ln, nil)
	served := make(chan error, 1)
	go func() {
		served <- listener.Serve(ctx, quic.NewStreamListener(ln, nil), func(ctx context.Context, s *quic.Stream) error {
			if _, err := stream.Copy(ctx, s, s); err != nil {
				return err
			}
			return stream.Shutdown(ctx, s)
		}, nil)
	}()
	var said []string
	for _, word := range []string{"one", "two", "three"} {
		s, err := client.OpenStream(t.Context())
		require.NoError(t, err)
		_, err = s.Send(t.Context(), []byte(word))
		require.NoError(t, err)
		require.NoError(t, s.SendEOF(t.Context()))
		for chunk, err := range stream.Chunks(t.Context(), s, make([]byte, 16)) {
			require.NoError(t, err)
			said = append(said, string(chunk))
		}
		require.NoError(t, s.Close())
	}
	assert.True(t, slices.Equal([]string{"one", "two", "three"}, said), said)
	stop()
	require.NoError(t, <-served)
}

func TestWhatQUICCannotDoWithoutIsAskedFor(t *testing.T) {
	ctx := t.Context()
	for name, cfg := range map[string]*tls.Config{"nil": nil, "NextProtos": {}} {
		_, err := quic.Listen(ctx, "127.0.0.1:0", cfg, nil)
		require.ErrorContains(t, err, name)
		_, err = quic.Dial(ctx, "127.0.0.1:9", cfg, nil)
		require.ErrorContains(t, err, name)
	}
}
