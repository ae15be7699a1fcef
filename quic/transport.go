package quic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"

	quicgo "github.com/quic-go/quic-go"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/internal/tlsattr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/udp"
)

// A Transport is a socket for any number of connections, dialed ones and those
// that a [Listener] accepts. Any number of goroutines may use it.
//
// To receive fast enough QUIC needs larger socket buffers than systems have by
// default; quic-go asks for 7 MiB, and says so once in the standard log where
// it gets less (on Linux see net.core.rmem_max and wmem_max).
type Transport struct {
	qt     quicgo.Transport
	socket interface{ Close() error }
	facts  *attr.Set
	single bool // belongs to what Dial or Listen returned, and ends with that

	mu     sync.Mutex
	conns  map[*Conn]struct{} // that have not ended
	ln     *Listener          // nil if there is none
	closed bool
	ending sync.Once
	ended  error
}

var _ stream.Resource = (*Transport)(nil)

// NewTransport returns a transport that sends and receives on conn, which it
// takes over. The socket itself is given to QUIC, so that nothing stands in
// the way of segmentation offload (GSO), ECN and path MTU discovery; its
// attributes are those of the transport. It panics when conn is nil.
func NewTransport(conn *udp.Conn, cfg *TransportConfig) *Transport {
	if conn == nil {
		panic("quic: NewTransport: nil conn")
	}
	raw, _ := udp.NetConn.Lookup(conn)
	return newTransport(raw.(*net.UDPConn), conn, conn.Attributes(), cfg)
}

// Wrap returns a transport that sends and receives on conn, which it takes
// over. It is for what is no socket of this machine's: a relay, a simulated
// network. It panics when conn is nil.
func Wrap(conn net.PacketConn, cfg *TransportConfig) *Transport {
	if conn == nil {
		panic("quic: Wrap: nil conn")
	}
	t := newTransport(conn, conn, nil, cfg)
	t.facts = packetConnFacts.For(conn)
	return t
}

var packetConnFacts = attr.Define(sockattr.Facts(func(conn net.PacketConn) *sockattr.Info {
	return &sockattr.Info{Local: conn.LocalAddr()}
})...)

func newTransport(conn net.PacketConn, socket interface{ Close() error }, facts *attr.Set, cfg *TransportConfig) *Transport {
	var c TransportConfig
	if cfg != nil {
		c = *cfg
	}
	t := &Transport{socket: socket, facts: facts, conns: make(map[*Conn]struct{})}
	t.qt = quicgo.Transport{
		Conn:              conn,
		StatelessResetKey: copied[quicgo.StatelessResetKey](c.ResetKey),
		TokenGeneratorKey: copied[quicgo.TokenGeneratorKey](c.TokenKey),
		MaxTokenAge:       c.TokenAge,
	}
	t.qt.ConnContext = t.arriving
	if validate := c.ValidateAddress; validate != nil {
		t.qt.VerifySourceAddress = func(addr net.Addr) bool { return validate(addrPort(addr)) }
	}
	return t
}

func copied[K ~[32]byte](key *[32]byte) *K {
	if key == nil {
		return nil
	}
	own := K(*key)
	return &own
}

func addrPort(addr net.Addr) netip.AddrPort {
	if a, ok := addr.(interface{ AddrPort() netip.AddrPort }); ok {
		ap := a.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

// Dial makes a connection to addr, from the transport's socket. The name to
// verify is tlsConfig's ServerName, or else the address; tlsConfig has to have
// NextProtos. The context bounds the call alone, not the connection. An error
// is a [*DialError].
func (t *Transport) Dial(ctx context.Context, addr net.Addr, tlsConfig *tls.Config, cfg *Config) (*Conn, error) {
	if addr == nil {
		return nil, &DialError{Errs: []error{errors.New("nil address")}}
	}
	c := orZero(cfg)
	conn, err := t.dial(ctx, addr, tlsConfig, &c)
	if err != nil {
		return nil, dialError(ctx, addr.String(), err, nil)
	}
	return conn, nil
}

func (t *Transport) dial(ctx context.Context, addr net.Addr, tlsConfig *tls.Config, cfg *Config) (*Conn, error) {
	if err := stream.ContextError(ctx); err != nil {
		return nil, err
	}
	if err := checkTLS(tlsConfig); err != nil {
		return nil, err
	}
	own := cfg.quicgo()
	connect := t.qt.Dial
	if cfg.EarlyData {
		connect = t.qt.DialEarly
	}
	qc, err := connect(ctx, addr, tlsConfig, own)
	if err != nil {
		switch {
		case ctx.Err() != nil:
			return nil, stream.ContextError(ctx)
		case t.isClosed():
			return nil, net.ErrClosed
		}
		return nil, dialFault(err, tlsConfig)
	}
	return t.adopt(qc, false, own)
}

// checkTLS wants what QUIC cannot do without.
func checkTLS(cfg *tls.Config) error {
	if cfg == nil {
		return errors.New("nil tls.Config")
	}
	if len(cfg.NextProtos) == 0 && cfg.GetConfigForClient == nil {
		return errors.New("tls.Config has no NextProtos: the application protocol is part of every handshake (RFC 9001 section 8.1)")
	}
	return nil
}

// adopt makes a Conn of qc, and lets go of it when it has ended.
func (t *Transport) adopt(qc *quicgo.Conn, server bool, own *quicgo.Config) (*Conn, error) {
	c := newConn(t, qc, server, own)
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		_ = qc.CloseWithError(0, "")
		return nil, net.ErrClosed
	}
	t.conns[c] = struct{}{}
	t.mu.Unlock()
	context.AfterFunc(qc.Context(), c.leave)
	return c, nil
}

// remove lets go of a connection that has ended.
func (t *Transport) remove(c *Conn) {
	t.mu.Lock()
	delete(t.conns, c)
	t.mu.Unlock()
	t.retire()
}

// retire closes the transport if nobody uses it any more and it was made for
// its users. From the moment that this is settled it takes no further one: an
// Accept that is just coming back would have Close end a connection whose end
// comes here again, and waits for that Close.
func (t *Transport) retire() {
	t.mu.Lock()
	over := t.single && len(t.conns) == 0 && t.ln == nil
	t.closed = t.closed || over
	t.mu.Unlock()
	if over {
		_ = t.Close()
	}
}

// Listen accepts connections on the transport's socket. There is one listener
// at a time. tlsConfig has to have NextProtos, and a certificate or a way to
// get one; it must not be modified any more. The context bounds the call
// alone, not the listener.
func (t *Transport) Listen(ctx context.Context, tlsConfig *tls.Config, cfg *Config) (*Listener, error) {
	ln, err := t.listen(ctx, tlsConfig, orZero(cfg))
	if err != nil {
		return nil, fmt.Errorf("quic: listen on %v: %w", t.qt.Conn.LocalAddr(), err)
	}
	return ln, nil
}

func (t *Transport) listen(ctx context.Context, tlsConfig *tls.Config, cfg Config) (*Listener, error) {
	if err := stream.ContextError(ctx); err != nil {
		return nil, err
	}
	if err := checkTLS(tlsConfig); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, net.ErrClosed
	}
	if t.ln != nil {
		return nil, errors.New("there is a listener already")
	}
	own := cfg.quicgo()
	ql, err := t.listener(tlsattr.Hearing(tlsConfig, hear), own, cfg.EarlyData)
	if err != nil {
		return nil, connFault(err)
	}
	t.ln = newListener(t, ql, own, cfg.OnError)
	return t.ln, nil
}

func (t *Transport) listener(tlsConfig *tls.Config, own *quicgo.Config, early bool) (quicListener, error) {
	if early {
		return t.qt.ListenEarly(tlsConfig, own)
	}
	return t.qt.Listen(tlsConfig, own)
}

// listening returns the listener, and nil if there is none.
func (t *Transport) listening() *Listener {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ln
}

// accepted returns the connections of clients that have not ended.
func (t *Transport) accepted() []*Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.DeleteFunc(slices.Collect(maps.Keys(t.conns)), func(c *Conn) bool { return !c.server })
}

func (t *Transport) isClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

// Close closes the listener, all connections and the socket, so that its
// address can be bound again.
func (t *Transport) Close() error {
	t.ending.Do(func() { t.ended = t.end() })
	return t.ended
}

func (t *Transport) end() error {
	t.mu.Lock()
	t.closed = true
	ln := t.ln
	conns := slices.Collect(maps.Keys(t.conns))
	t.mu.Unlock()
	if ln != nil {
		_ = ln.Close() // always nil
	}
	for _, c := range conns {
		_ = c.Close() // always nil
	}
	return errors.Join(t.qt.Close(), t.socket.Close())
}

// Attributes are those of the socket: LocalAddr, RawConn and so on.
func (t *Transport) Attributes() *attr.Set { return t.facts }
