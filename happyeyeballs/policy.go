package happyeyeballs

import "net/netip"

// A policy is a row of the policy table: addresses of a higher precedence come
// first, and an address fits a source with the same label.
type policy struct {
	prefix     netip.Prefix
	precedence int
	label      int
}

// policies is the default policy table of RFC 6724 section 2.1, longer
// prefixes first.
var policies = []policy{
	{netip.MustParsePrefix("::1/128"), 50, 0},
	{netip.MustParsePrefix("::ffff:0:0/96"), 35, 4}, // IPv4
	{netip.MustParsePrefix("::/96"), 1, 3},          // IPv4-compatible, deprecated
	{netip.MustParsePrefix("2001::/32"), 5, 5},      // Teredo
	{netip.MustParsePrefix("2002::/16"), 30, 2},     // 6to4
	{netip.MustParsePrefix("3ffe::/16"), 1, 12},     // 6bone, returned
	{netip.MustParsePrefix("fec0::/10"), 1, 11},     // site-local, deprecated
	{netip.MustParsePrefix("fc00::/7"), 3, 13},      // unique local
	{netip.MustParsePrefix("::/0"), 40, 1},
}

// ipv4Policy is the row for IPv4, which netip.Prefix does not match mapped.
var ipv4Policy = policies[1]

func policyOf(a netip.Addr) policy {
	if a.Unmap().Is4() {
		return ipv4Policy
	}
	a = a.WithZone("")
	for _, p := range policies {
		if p.prefix.Contains(a) {
			return p
		}
	}
	return policies[len(policies)-1] // not reached: ::/0 has every address
}

// A scope is a multicast scope (RFC 4291 section 2.7), into which unicast
// addresses are mapped by RFC 6724 section 3.1.
type scope int

const (
	linkLocal scope = 0x2
	siteLocal scope = 0x5
	global    scope = 0xe
)

var siteLocalPrefix = netip.MustParsePrefix("fec0::/10")

// scopeOf returns the scope of a. Private IPv4 addresses are global, and the
// loopback and auto-configured ones link-local (RFC 6724 section 3.2).
func scopeOf(a netip.Addr) scope {
	switch {
	case a.Is6() && a.IsMulticast():
		return scope(a.As16()[1] & 0xf)
	case a.IsLoopback() || a.IsLinkLocalUnicast():
		return linkLocal
	case siteLocalPrefix.Contains(a.WithZone("")):
		return siteLocal
	}
	return global
}
