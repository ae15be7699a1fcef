package quic

import (
	"context"
	"net"
	"net/netip"
	"sync"

	quicgo "github.com/quic-go/quic-go"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/udp"
)

// A Listener accepts connections. Several goroutines may accept at once.
type Listener struct {
	t       *Transport
	ql      quicListener
	own     *quicgo.Config
	onError func(client netip.AddrPort, err error) // may be nil

	closing sync.Once
	mu      sync.Mutex // orders telling after closed
	closed  chan struct{}
	telling sync.WaitGroup
}

var _ stream.Listener[*Conn] = (*Listener)(nil)

// A quicListener is a *quicgo.Listener or *quicgo.EarlyListener.
type quicListener interface {
	Accept(ctx context.Context) (*quicgo.Conn, error)
	Close() error
}

// Listen opens a UDP socket on addr, "host:port", and accepts connections on
// it. An empty host means all addresses, IPv4 and IPv6; port 0 a free one,
// which LocalAddr tells. tlsConfig has to have NextProtos, and a certificate
// or a way to get one; it must not be modified any more. The context bounds the
// call alone, not the listener.
func Listen(ctx context.Context, addr string, tlsConfig *tls.Config, cfg *Config) (*Listener, error) {
	c := orZero(cfg)
	conn, err := udp.Listen(ctx, addr, &c.Transport.UDP)
	if err != nil {
		return nil, err
	}
	t := NewTransport(conn, &c.Transport)
	t.single = true
	ln, err := t.Listen(ctx, tlsConfig, &c)
	if err != nil {
		_ = t.Close()
		return nil, err
	}
	return ln, nil
}

func newListener(t *Transport, ql quicListener, own *quicgo.Config, onError func(netip.AddrPort, error)) *Listener {
	return &Listener{t: t, ql: ql, own: own, onError: onError, closed: make(chan struct{})}
}

// Accept waits for the next connection whose handshake is done; with
// Config.EarlyData, for the next that is under way. Handshakes run beside each
// other and beside Accept, and up to 32 connections wait for it; further ones
// are refused. Config.OnError is told of those that come to nothing. A canceled
// Accept has taken none. After Close it is net.ErrClosed.
func (l *Listener) Accept(ctx context.Context) (*Conn, error) {
	for {
		if err := stream.ContextError(ctx); err != nil {
			return nil, err
		}
		if l.isClosed() {
			return nil, net.ErrClosed
		}
		qc, err := l.ql.Accept(ctx)
		switch {
		case err == nil && !arrived(qc):
			continue // which OnError is told
		case err == nil:
			c, err := l.t.adopt(qc, true, l.own)
			if err != nil {
				return nil, err
			}
			return c, nil
		case l.isClosed():
			return nil, net.ErrClosed
		case ctx.Err() == nil:
			return nil, connFault(err)
		}
	}
}

// arrived takes qc from OnError, unless that is told of it already.
func arrived(qc *quicgo.Conn) bool {
	accepted := arrivalOf(qc.Context()).accepted
	return accepted == nil || accepted()
}

// lost tells of a connection that has ended before it was accepted.
func (l *Listener) lost(client netip.AddrPort, err error) {
	l.mu.Lock()
	if l.isClosed() {
		l.mu.Unlock()
		return
	}
	l.telling.Add(1)
	l.mu.Unlock()
	defer l.telling.Done()
	l.onError(client, arrivalFault(err))
}

func (l *Listener) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// Close ends accepting: connections that nobody has accepted are closed, and
// new ones refused. Those that were accepted live on, and need the socket: one
// that Listen opened is closed, so that its address can be bound again, as
// soon as the last of them has ended, and before Close returns if there is
// none.
func (l *Listener) Close() error {
	l.closing.Do(l.close)
	return nil
}

func (l *Listener) close() {
	l.mu.Lock()
	close(l.closed)
	l.mu.Unlock()
	defer l.telling.Wait()
	_ = l.ql.Close() // always nil
	for {
		qc, err := l.ql.Accept(context.Background())
		if err != nil {
			break
		}
		_ = qc.CloseWithError(0, "") // always nil
	}
	l.t.mu.Lock()
	l.t.ln = nil
	l.t.mu.Unlock()
	l.t.retire()
}

// Shutdown is Close, and waits until the connections that were accepted have
// ended, or until ctx is done, which is an error and leaves them as they are. A
// program that serves streams, whose connections end by themselves once their
// listener is closed (see [Streams.Close]), calls it before it exits, lest that
// cut off what was sent last.
func (l *Listener) Shutdown(ctx context.Context) error {
	_ = l.Close() // always nil
	for _, c := range l.t.accepted() {
		select {
		case <-c.qc.Context().Done():
		case <-ctx.Done():
			return stream.ContextError(ctx)
		}
	}
	return nil
}

// Attributes are those of the socket: LocalAddr, RawConn and so on.
func (l *Listener) Attributes() *attr.Set { return l.t.Attributes() }
