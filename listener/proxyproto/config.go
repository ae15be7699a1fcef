package proxyproto

import (
	"net/netip"
	"slices"
	"time"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
)

// DefaultHeaderTimeout is how long a listener waits for a header.
const DefaultHeaderTimeout = 5 * time.Second

// Config says whom to trust. A nil Config and the zero one mean all defaults:
// nobody is trusted, and every connection refused. It is copied.
type Config struct {
	// Trust tells whether a peer's header is believed; p has the attributes of
	// the connection with it. Such a peer must send one. See [From]. Nil
	// trusts nobody. A listener may call it several times at once.
	Trust func(p attr.Provider) bool

	// Untrusted says what becomes of others. Zero means Refuse.
	Untrusted Policy

	// HeaderTimeout is how long a listener waits for a header. Zero means
	// DefaultHeaderTimeout, 5 s, which a lost segment does not use up;
	// negative means no limit. WrapServer goes by its context alone.
	HeaderTimeout time.Duration

	// InFlight is how many connections a listener has waiting for their header
	// or to be accepted. Zero means 1024; negative means no limit.
	InFlight int

	// OnError is told why a listener did not hand out a connection, which is
	// closed by then, but whose fixed attributes p has. It is not told of
	// those that ended before their first byte, as many health checks do. It
	// may run several times at once. Nil drops the error.
	OnError func(p attr.Provider, err error)
}

func (c *Config) copy() Config {
	var own Config
	if c != nil {
		own = *c
	}
	if own.Trust == nil {
		own.Trust = func(attr.Provider) bool { return false }
	}
	if own.HeaderTimeout == 0 {
		own.HeaderTimeout = DefaultHeaderTimeout
	}
	return own
}

// A Policy says what becomes of connections from peers that are not trusted.
type Policy int

const (
	// Refuse closes them, with an [*UntrustedError].
	Refuse Policy = iota

	// PassThrough hands them out as they are. What looks like a header then
	// is data like any other.
	PassThrough
)

// From returns a Config.Trust for the peers whose address is in one of
// prefixes. One without an IP address, as at a Unix socket, is in none.
func From(prefixes ...netip.Prefix) func(attr.Provider) bool {
	own := slices.Clone(prefixes)
	return func(p attr.Provider) bool {
		peer, ok := sockattr.RemoteAddrPort.Lookup(p)
		return ok && slices.ContainsFunc(own, func(in netip.Prefix) bool {
			return in.Contains(peer.Addr().WithZone(""))
		})
	}
}
