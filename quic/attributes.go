package quic

import (
	cryptotls "crypto/tls"
	"net"
	"net/netip"
	"time"

	quicgo "github.com/quic-go/quic-go"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/internal/tlsattr"
)

// What is known about a connection and its streams. Those that are not marked
// are fixed, and answer after Close. Beside them all of package tls's answer,
// and those of the socket.
var (
	// LocalAddr is the address of this side, a *net.UDPAddr. Its IP is
	// unspecified where the socket receives for all addresses and this side
	// has dialed.
	LocalAddr attr.Key[net.Addr] = sockattr.LocalAddr

	// RemoteAddr is the address of the peer when the connection was made, a
	// *net.UDPAddr. The peer may have moved since (RFC 9000 section 9).
	RemoteAddr attr.Key[net.Addr] = sockattr.RemoteAddr

	// LocalAddrPort is LocalAddr as a netip.AddrPort; an IPv4 address is
	// never mapped into IPv6.
	LocalAddrPort attr.Key[netip.AddrPort] = sockattr.LocalAddrPort

	// RemoteAddrPort is RemoteAddr in the form of LocalAddrPort.
	RemoteAddrPort attr.Key[netip.AddrPort] = sockattr.RemoteAddrPort

	// Host is the name or address that was dialed, without the port.
	Host attr.Key[string] = sockattr.Host

	// Family is netconn.IPv4 or netconn.IPv6.
	Family attr.Key[sockattr.Family] = sockattr.NetFamily

	// Race tells how the connection was won among the addresses of a name. A
	// connection that was accepted, or that Dial made to an address, has none.
	Race attr.Key[*happyeyeballs.Report] = happyeyeballs.Race

	// ProtocolVersion is the version of QUIC.
	ProtocolVersion = attr.New[Version]("quic.version")

	// ID is the number of a stream. A Conn has none.
	ID = attr.New[StreamID]("quic.stream_id")

	// EarlyData tells whether early data was used (0-RTT): what a server
	// received before its handshake was done may have been replayed. It is
	// absent until the handshake is done.
	EarlyData = attr.New[bool]("quic.early_data")

	// IdleTimeout is this side's idle timeout; the peer's may be shorter, and
	// counts then. It is absent where Config says that there is none.
	IdleTimeout = attr.New[time.Duration]("quic.idle_timeout")

	// RTT is the smoothed round-trip time (RFC 9002 section 5.3). It is live,
	// and absent as long as nothing was measured.
	RTT = attr.New[time.Duration]("quic.rtt")

	// Stats are counters of the connection. They are live.
	Stats = attr.New[Statistics]("quic.stats")
)

// A Version is a version of QUIC as it stands in the protocol.
type Version uint32

// The versions that this package speaks.
const (
	Version1 = Version(quicgo.Version1) // RFC 9000
	Version2 = Version(quicgo.Version2) // RFC 9369
)

// String returns the version's name, such as "v1".
func (v Version) String() string { return quicgo.Version(v).String() }

// A StreamID is the number of a stream in its connection. Its lowest bit tells
// whether the server has opened it, the next one whether it is one-way
// (RFC 9000 section 2.1).
type StreamID int64

// Statistics are counters of a connection.
type Statistics struct {
	MinRTT, LatestRTT, SmoothedRTT time.Duration // zero until measured
	RTTVariation                   time.Duration // mean deviation of the samples
	CongestionWindow               uint64        // bytes
	BytesSent, BytesReceived       uint64        // in UDP packets
	PacketsSent, PacketsReceived   uint64

	// BytesLost and PacketsLost are what counts as lost; some of it may turn
	// up later, and is taken off again.
	BytesLost, PacketsLost uint64
}

var connFacts = attr.Define(append(append(
	sockattr.Facts(func(c *Conn) *sockattr.Info { return &c.info }),
	tlsattr.SessionFacts(func(c *Conn) tlsattr.Session {
		session := tlsattr.Session{State: c.tls(), Server: c.server}
		if c.server {
			session.Hello = arrivalOf(c.qc.Context()).hello.Load()
		}
		return session
	})...),
	attr.Value(ProtocolVersion, func(c *Conn) Version { return Version(c.qc.ConnectionState().Version) }),
	attr.From(EarlyData, func(c *Conn) (bool, error) {
		if c.tls() == nil {
			return false, attr.ErrNotFound
		}
		return c.qc.ConnectionState().Used0RTT, nil
	}),
	attr.From(IdleTimeout, func(c *Conn) (time.Duration, error) {
		if c.idle >= never {
			return 0, attr.ErrNotFound
		}
		return c.idle, nil
	}),
	attr.From(RTT, func(c *Conn) (time.Duration, error) {
		stats, err := c.stats()
		if err == nil && stats.SmoothedRTT == 0 {
			err = attr.ErrNotFound
		}
		return stats.SmoothedRTT, err
	}),
	attr.From(Stats, (*Conn).stats),
	attr.From(Race, func(c *Conn) (*happyeyeballs.Report, error) {
		if c.race == nil {
			return nil, attr.ErrNotFound
		}
		return c.race, nil
	}),
)...)

const defaultIdleTimeout = 30 * time.Second // quic-go's

// tls returns what the handshake settled, or nil before it is done.
func (c *Conn) tls() *cryptotls.ConnectionState {
	if state := c.state.Load(); state != nil {
		return state
	}
	select {
	case <-c.qc.HandshakeComplete():
		state := c.qc.ConnectionState().TLS
		c.state.CompareAndSwap(nil, &state)
	default:
	}
	return c.state.Load()
}

func (c *Conn) stats() (Statistics, error) {
	if c.closed.Load() {
		return Statistics{}, net.ErrClosed
	}
	s := c.qc.ConnectionStats()
	return Statistics{
		MinRTT: s.MinRTT, LatestRTT: s.LatestRTT, SmoothedRTT: s.SmoothedRTT,
		RTTVariation:     s.MeanDeviation,
		CongestionWindow: s.CongestionWindow,
		BytesSent:        s.BytesSent, BytesReceived: s.BytesReceived,
		PacketsSent: s.PacketsSent, PacketsReceived: s.PacketsReceived,
		BytesLost: s.BytesLost, PacketsLost: s.PacketsLost,
	}, nil
}
