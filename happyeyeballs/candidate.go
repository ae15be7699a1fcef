package happyeyeballs

import (
	"net/netip"
	"strconv"
)

// A Family is an address family. The zero Family stands for both.
type Family int

// The families of IP addresses.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

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

// A Candidate is what one attempt is made to.
type Candidate struct {
	// Addr is where to connect to. An IPv4 address is one, never the same
	// mapped into IPv6.
	Addr netip.AddrPort
}
