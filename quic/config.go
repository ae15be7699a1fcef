package quic

import (
	"io"
	"net/netip"
	"time"

	quicgo "github.com/quic-go/quic-go"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/udp"
)

// Config says how connections are made and what they allow the peer. A nil
// Config and the zero one mean all defaults. The functions that take one copy
// it.
type Config struct {
	// HandshakeTimeout is how long a handshake may take. It is given up after
	// half of that without a packet from the peer. Zero means 10 s; negative
	// leaves it to the context.
	HandshakeTimeout time.Duration

	// IdleTimeout is how long a connection lives without a packet from the
	// peer; it is then broken, by [ErrIdleTimeout]. The shorter one of both
	// sides' counts. Zero means 30 s; negative means no limit of this side's.
	IdleTimeout time.Duration

	// KeepAlive is the pause after which a packet is sent to a peer that says
	// nothing, so that neither side's IdleTimeout, nor a NAT, ends the
	// connection. Half the idle timeout is used if that is less. Zero and
	// negative send none.
	KeepAlive time.Duration

	// MaxStreams is how many streams that the peer opened there may be at
	// once; further ones wait in its OpenStream. Zero means 100; negative
	// allows none.
	MaxStreams int64

	// MaxReceiveStreams is MaxStreams for the one-way streams that the peer
	// sends on. Zero means 100 too.
	MaxReceiveStreams int64

	// StreamWindow is how many bytes of one stream the peer may send ahead
	// of what was received here. The window starts at 512 KiB, or at
	// StreamWindow if that is less, and grows to StreamWindow when the
	// network needs it. Zero means 6 MiB.
	StreamWindow uint64

	// ConnWindow is StreamWindow for all streams of a connection together, and
	// starts at 768 KiB. Zero means 15 MiB. With the limits on streams this
	// bounds the memory that a peer can make this side hold.
	ConnWindow uint64

	// Packets lets the peer send packets, which are neither repeated nor
	// ordered (DATAGRAM frames, RFC 9221). See [Conn.Packets].
	Packets bool

	// EarlyData lets a client that resumes a session send before the
	// handshake is done (0-RTT). It is off by default, since early data has no
	// protection against replay (RFC 8446 section 8, RFC 9001 section 9.2):
	// who has recorded it can send it to the server again, any number of
	// times and also to other machines of the same service. Turn it on only
	// where every request that may come that way does no harm when it comes
	// twice.
	//
	// A client then needs a tls.Config.ClientSessionCache, and Dial returns
	// before the handshake if that has a session; a server accepts
	// connections before it. Until the handshake is done, which
	// [Conn.Handshake] waits for, neither side knows that the other is there,
	// and attributes of TLS are absent. A server that does not take the early
	// data breaks the streams that were opened by then, with
	// [ErrEarlyDataRejected], which further ones fail with too until
	// Handshake has returned; the connection goes on.
	EarlyData bool

	// OnError is told of each connection that came to nothing before a
	// [Listener] could return it from Accept: where it came from, and why. That
	// is a [*TransportError] if the handshake failed, for want of a common
	// protocol or over a certificate for example, or if too many wait for
	// Accept already (code 2, of this side); and [ErrHandshakeTimeout] if
	// nothing was heard of the client any more. What OnError was told of Accept
	// does not return. OnError may run several times at once, and must not
	// close the listener, whose Close waits for it. Nil drops the error, and
	// Accept returns also what broke while it waited. Dial has no use for it.
	OnError func(client netip.AddrPort, err error)

	// Qlog, if not nil, returns where the events of a new connection are
	// written to (qlog, draft-ietf-quic-qlog-main-schema), which is closed
	// when the connection has ended; or nil for none. The ID is the one that
	// the client first sent to. Qlog may run several times at once. It costs
	// a third of what a connection can carry, or more. Base.Tracer is not used
	// beside it.
	Qlog func(server bool, connID []byte) io.WriteCloser

	// Base is what the fields above are laid over: quic-go's own
	// configuration, for what has no field here. A field above that is not
	// zero wins. Nil means quic-go's defaults.
	Base *quicgo.Config

	// LocalAddr is the address that Dial connects from; its port may be 0.
	// With one, only remote addresses of its family are tried. The zero value
	// leaves the choice to the system. Listen and a Transport have no use for
	// it.
	LocalAddr netip.AddrPort

	// Race says how Dial finds and tries the addresses of a name. Its Service
	// is not used: a [Connector] has its own. A Transport has no use for it.
	Race happyeyeballs.Config

	// Transport is what Dial and Listen open; a [Transport] has its own.
	Transport TransportConfig
}

// TransportConfig says how the packets of a socket are dealt with, whatever
// the connection they belong to. The zero value means all defaults.
type TransportConfig struct {
	// UDP says how Dial and Listen make the socket. NewTransport is given one.
	UDP udp.Config

	// ResetKey lets peers know at once that this side has forgotten their
	// connection, since it was started anew (stateless reset, RFC 9000
	// section 10.3). It has to be the same each time, secret, and random.
	// Nil sends no such resets, and peers run into their idle timeout; so do
	// those that only keep alive, since a reset answers no packet of 42 bytes
	// or less, which might be one itself.
	ResetKey *[32]byte

	// TokenKey protects the tokens by which a client that was here before
	// proves its address (RFC 9000 section 8.1.3). It is to be shared by all
	// servers of one name, secret, and random. Nil means a new one, so that
	// older tokens are worth nothing.
	TokenKey *[32]byte

	// TokenAge is how long such a token is good for. Zero means 24 h.
	TokenAge time.Duration

	// ValidateAddress says whether a client has to prove its address before
	// the handshake goes on, which takes another round trip (Retry, RFC 9000
	// section 8.1.2). The address may be forged. It is called for clients
	// without a token, in the way of all packets: it must not wait. Nil asks
	// no one; what an attacker can make a server send to a forged address is
	// limited to 3 times what it sends itself, either way.
	ValidateAddress func(addr netip.AddrPort) bool
}

// never is a timeout that is not one.
const never = 10 * 365 * 24 * time.Hour

// Where quic-go's windows start.
const (
	initialStreamWindow = 512 << 10
	initialConnWindow   = 768 << 10
)

func orZero(cfg *Config) Config {
	if cfg == nil {
		return Config{}
	}
	return *cfg
}

// quicgo returns the configuration for quic-go.
func (cfg *Config) quicgo() *quicgo.Config {
	own := &quicgo.Config{}
	if cfg.Base != nil {
		own = cfg.Base.Clone()
	}
	overlay(&own.HandshakeIdleTimeout, limit(cfg.HandshakeTimeout)/2)
	overlay(&own.MaxIdleTimeout, limit(cfg.IdleTimeout))
	overlay(&own.KeepAlivePeriod, max(cfg.KeepAlive, 0))
	overlay(&own.MaxIncomingStreams, cfg.MaxStreams)
	overlay(&own.MaxIncomingUniStreams, cfg.MaxReceiveStreams)
	overlay(&own.MaxStreamReceiveWindow, cfg.StreamWindow)
	overlay(&own.MaxConnectionReceiveWindow, cfg.ConnWindow)
	start(&own.InitialStreamReceiveWindow, initialStreamWindow, own.MaxStreamReceiveWindow)
	start(&own.InitialConnectionReceiveWindow, initialConnWindow, own.MaxConnectionReceiveWindow)
	own.EnableDatagrams = own.EnableDatagrams || cfg.Packets
	own.Allow0RTT = own.Allow0RTT || cfg.EarlyData
	if cfg.Qlog != nil {
		own.Tracer = tracer(cfg.Qlog)
	}
	return own
}

func overlay[T comparable](field *T, v T) {
	var zero T
	if v != zero {
		*field = v
	}
}

// start makes a window that may grow to most start no larger than that.
func start(window *uint64, initial, most uint64) {
	if *window == 0 && most != 0 && most < initial {
		*window = most
	}
}

// limit is d, or never where that means no limit.
func limit(d time.Duration) time.Duration {
	if d < 0 {
		return never
	}
	return d
}
