package happyeyeballs

import (
	"cmp"
	"net/netip"
	"slices"
)

// A destination is an address with what decides its place among others.
type destination struct {
	addr, source netip.Addr // source is zero if addr cannot be reached
	policy       policy     // of addr
	sameScope    bool       // addr and source
	sameLabel    bool       // addr and source
	scope        scope      // of addr
}

func newDestination(addr, source netip.Addr) destination {
	d := destination{addr: addr, source: source, policy: policyOf(addr), scope: scopeOf(addr)}
	if source.IsValid() {
		d.sameScope = scopeOf(source) == d.scope
		d.sameLabel = policyOf(source).label == d.policy.label
	}
	return d
}

// translated is the destination that a NAT64 makes of v4, reached from an IPv6
// address that is on the way of all the others.
func translated(v4, source netip.Addr) destination {
	return destination{addr: v4, source: source, policy: policyOf(v4), scope: scopeOf(v4), sameScope: true, sameLabel: true}
}

func (d destination) usable() bool { return d.source.IsValid() }

// sortDestinations sorts by RFC 6724 section 6. Of equal ones the resolver's
// order remains.
func sortDestinations(ds []destination) { slices.SortStableFunc(ds, compareDestinations) }

// compareDestinations applies the rules of RFC 6724 section 6, but for three
// that depend on what no portable interface tells: rule 3 (deprecated source
// addresses), 4 (home addresses of Mobile IPv6) and 7 (tunnels).
func compareDestinations(a, b destination) int {
	return cmp.Or(
		prefer(a.usable(), b.usable()),                        // rule 1
		prefer(a.sameScope, b.sameScope),                      // rule 2
		prefer(a.sameLabel, b.sameLabel),                      // rule 5
		cmp.Compare(b.policy.precedence, a.policy.precedence), // rule 6
		cmp.Compare(a.scope, b.scope),                         // rule 8
		cmp.Compare(b.matchingPrefix(), a.matchingPrefix()),   // rule 9
	)
}

// prefer puts the one first for which a condition holds.
func prefer(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// matchingPrefix is the number of leading bits that an IPv6 address shares with
// its source, of the 64 that name a network. IPv4 addresses have none: there
// the rule would undo the order in which servers rotate their answers, and
// addresses near each other in number are not so in the network.
func (d destination) matchingPrefix() int {
	if !d.addr.Is6() || !d.source.Is6() {
		return 0
	}
	x, y := d.addr.As16(), d.source.As16()
	for i := range 64 {
		if (x[i/8]^y[i/8])&(0x80>>(i%8)) != 0 {
			return i
		}
	}
	return 64
}
