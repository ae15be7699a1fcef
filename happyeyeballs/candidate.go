package happyeyeballs

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A Family is an address family. The zero Family stands for both.
type Family int

// The families of IP addresses.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// families are both, in the order in which they are asked for.
var families = []Family{IPv6, IPv4}

// kinds are what answers are about: records, and either family.
var kinds = []Family{0, IPv6, IPv4}

// familyOf returns the family of a, which is not an IPv4 address mapped into
// IPv6.
func familyOf(a netip.Addr) Family {
	if a.Is4() {
		return IPv4
	}
	return IPv6
}

func (f Family) String() string {
	switch f {
	case 0:
		return "IP"
	case IPv4:
		return "IPv4"
	case IPv6:
		return "IPv6"
	}
	return "Family(" + strconv.Itoa(int(f)) + ")"
}

// includes reports whether an address of family g is one of f.
func (f Family) includes(g Family) bool { return f == 0 || f == g }

// A Candidate is what one attempt is made to. Without Config.Service it is an
// address and nothing else.
type Candidate struct {
	// Addr is where to connect to. An IPv4 address is one, never the same
	// mapped into IPv6.
	Addr netip.AddrPort

	// Transport is what to connect with.
	Transport Transport

	// ALPN are the protocols to offer in the TLS handshake: all of
	// Service.Protocols that run over Transport, whatever the host's record
	// says (RFC 9460 section 7.1.2). It must not be modified.
	ALPN []string

	// ECH is the list of configurations for an Encrypted Client Hello, in the
	// form that crypto/tls takes, and nil without one. It must not be
	// modified.
	ECH []byte

	// Priority is that of the service record, the lowest first. Zero means
	// that there is none for this address.
	Priority uint16

	// Target is the name whose address this is: the host's own, or that to
	// which its service record leads. The certificate is to be the host's all
	// the same.
	Target string
}

// String returns what an error calls c: the address and, if there is a choice,
// the transport.
func (c Candidate) String() string {
	if c.Transport == "" {
		return c.Addr.String()
	}
	return string(c.Transport) + " " + c.Addr.String()
}

// detail returns all that is known of c.
func (c Candidate) detail() string {
	var b strings.Builder
	b.WriteString(c.String())
	if len(c.ALPN) > 0 {
		b.WriteString(" " + strings.Join(c.ALPN, ","))
	}
	if c.Priority != 0 {
		fmt.Fprintf(&b, " of %s priority %d", c.Target, c.Priority)
	}
	if len(c.ECH) > 0 {
		b.WriteString(" ech")
	}
	return b.String()
}

// A key tells candidates apart: of those with the same, one is tried.
type key struct {
	addr      netip.AddrPort
	transport Transport
	ech       string
}

func (c Candidate) key() key { return key{c.Addr, c.Transport, string(c.ECH)} }
