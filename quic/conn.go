package quic

import (
	"context"
	cryptotls "crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	quicgo "github.com/quic-go/quic-go"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// A Conn is a QUIC connection, from which streams are opened and accepted, and
// which carries packets. Any number of goroutines may use it.
//
// Each side can have as many streams open as the other allows
// (Config.MaxStreams), and opening waits where there are too many. That a
// stream was opened the peer learns from the first bytes sent on it, from its
// end or from its reset, and not before: if both sides wait for the other to
// say something first, they wait forever.
type Conn struct {
	qc     *quicgo.Conn
	t      *Transport
	server bool
	idle   time.Duration
	info   sockattr.Info
	race   *happyeyeballs.Report // nil if there was none
	state  atomic.Pointer[cryptotls.ConnectionState]
	facts  attr.Set

	accepting, receivingStreams structured.Mutex
	packets                     Packets
	streams                     Streams

	closed  atomic.Bool
	broken  atomic.Pointer[stream.BrokenError]
	closing sync.Mutex // is held while the connection ends, so that every Close waits for that
	left    sync.Once  // t was told
}

// newConn returns the connection of t that qc is. What it needs of t it gives
// back when it has ended, however that came.
func newConn(t *Transport, qc *quicgo.Conn, server bool, own *quicgo.Config) *Conn {
	c := &Conn{qc: qc, t: t, server: server, idle: own.MaxIdleTimeout}
	if c.idle == 0 {
		c.idle = defaultIdleTimeout
	}
	c.info = sockattr.Info{Local: qc.LocalAddr(), Remote: qc.RemoteAddr()}
	c.packets.init(c, own.EnableDatagrams)
	c.streams.init(c)
	connFacts.Init(&c.facts, c, t)
	return c
}

// OpenStream opens a stream, and waits while the peer allows no further one.
// A canceled OpenStream has opened none. The peer learns of the stream when
// something is sent on it.
func (c *Conn) OpenStream(ctx context.Context) (*Stream, error) {
	if err := c.enter(ctx); err != nil {
		return nil, err
	}
	qs, err := c.qc.OpenStreamSync(ctx)
	if err != nil {
		return nil, c.verdict(ctx, err)
	}
	return c.stream(qs), nil
}

// OpenSendStream is OpenStream for a stream on which only this side sends.
func (c *Conn) OpenSendStream(ctx context.Context) (*SendStream, error) {
	if err := c.enter(ctx); err != nil {
		return nil, err
	}
	qs, err := c.qc.OpenUniStreamSync(ctx)
	if err != nil {
		return nil, c.verdict(ctx, err)
	}
	return c.sendStream(qs), nil
}

// AcceptStream waits for the next stream that the peer opened and has sent
// something on. Streams come in the order in which they were opened. A
// canceled AcceptStream has taken none. Once the connection is broken it is
// the [stream.BrokenError] that says why; a peer that closed it in order has
// done so by an [*ApplicationError].
func (c *Conn) AcceptStream(ctx context.Context) (*Stream, error) {
	qs, err := accept(ctx, c, &c.accepting, (*quicgo.Conn).AcceptStream)
	if err != nil {
		return nil, err
	}
	return c.stream(qs), nil
}

// AcceptReceiveStream is AcceptStream for the streams on which only the peer
// sends.
func (c *Conn) AcceptReceiveStream(ctx context.Context) (*ReceiveStream, error) {
	qs, err := accept(ctx, c, &c.receivingStreams, (*quicgo.Conn).AcceptUniStream)
	if err != nil {
		return nil, err
	}
	return c.receiveStream(qs), nil
}

// accept lets callers take turns: of several, quic-go may wake one for two
// streams.
func accept[S any](ctx context.Context, c *Conn, turn *structured.Mutex, next func(*quicgo.Conn, context.Context) (S, error)) (S, error) {
	var none S
	if err := c.enter(ctx); err != nil {
		return none, err
	}
	if err := turn.Lock(ctx); err != nil {
		return none, stream.ContextError(ctx)
	}
	defer turn.Unlock()
	if err := c.enter(ctx); err != nil {
		return none, err
	}
	qs, err := next(c.qc, ctx)
	if err != nil {
		return none, c.verdict(ctx, err)
	}
	return qs, nil
}

// Packets returns what carries packets beside the streams. It is the same for
// every call.
func (c *Conn) Packets() *Packets { return &c.packets }

// Streams returns the connection as a listener of streams. It is the same for
// every call.
func (c *Conn) Streams() *Streams { return &c.streams }

// Handshake waits until the handshake is done, which it is already on every
// connection but those with Config.EarlyData. An error is why it failed, or by
// what the connection has ended since. Where a server has rejected the early
// data, streams can be opened and accepted again once it has returned nil.
func (c *Conn) Handshake(ctx context.Context) error {
	if err := c.enter(ctx); err != nil {
		return err
	}
	// After a server that rejected the early data the connection starts anew.
	_, err := c.qc.NextConnection(ctx)
	if ended := c.ended(); ended != nil { // of a handshake and an end quic-go tells either
		err = ended
	}
	if err != nil {
		return c.verdict(ctx, err)
	}
	return nil
}

// Attributes are those in the variables of this package, those of package tls,
// and those of the socket.
func (c *Conn) Attributes() *attr.Set { return &c.facts }

// leave tells the transport that the connection has ended.
func (c *Conn) leave() { c.left.Do(func() { c.t.remove(c) }) }

// enter answers for calls that cannot be served.
func (c *Conn) enter(ctx context.Context) error {
	if c.closed.Load() || ctx.Err() != nil {
		return closedError(ctx)
	}
	return nil
}

// ended returns why the connection has ended, and nil if it has not. quic-go
// ends one in steps, of which the context is the last; what a call was told
// before that counts too.
func (c *Conn) ended() error {
	if broken := c.broken.Load(); broken != nil {
		return broken
	}
	return context.Cause(c.qc.Context())
}

// verdict is the error of a call that quic-go ended with err.
func (c *Conn) verdict(ctx context.Context, err error) error {
	if c.closed.Load() {
		return net.ErrClosed
	}
	if canceled := stream.ContextError(ctx); canceled != nil {
		return canceled
	}
	return c.answer(stream.Broken(c.streamFault(err, false)))
}
