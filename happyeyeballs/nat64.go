package happyeyeballs

import (
	"bytes"
	"context"
	"net/netip"
	"slices"
)

// nat64Name is the name whose only addresses are two of IPv4. A DNS64 makes
// IPv6 addresses of them, which give its prefix away (RFC 7050).
const nat64Name = "ipv4only.arpa"

var nat64Addrs = [][]byte{{192, 0, 0, 170}, {192, 0, 0, 171}}

// anyGlobalIPv6 and anyGlobalIPv4 stand for the Internet when asking for a
// route to it.
var (
	anyGlobalIPv6 = netip.MustParseAddr("2001:500:2::c")
	anyGlobalIPv4 = netip.MustParseAddr("192.33.4.12")
)

// wellKnownPrefix is what NAT64 uses where nothing else is configured (RFC
// 6052 section 2.1).
var wellKnownPrefix = netip.MustParsePrefix("64:ff9b::/96")

// nat64Lengths are the lengths that a prefix may have (RFC 6052 section 2.2).
var nat64Lengths = []int{96, 64, 56, 48, 40, 32}

// behindNAT64 returns the IPv4 addresses that might be reached through NAT64:
// all of them are global and none has a route, while IPv6 has one.
func (s *schedule) behindNAT64() []netip.Addr {
	if s.cfg.Service != nil {
		return nil // it is taken care of, see endpoints
	}
	addrs := s.name(s.host).found[IPv4].addrs
	for _, a := range addrs {
		if s.source(a).IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() {
			return nil
		}
	}
	if len(addrs) == 0 || !s.cfg.Family.includes(IPv6) || !s.source(anyGlobalIPv6).IsValid() {
		return nil
	}
	return addrs
}

// synthesize returns the addresses that lead to addrs through the NAT64 of the
// network, none if there is no NAT64.
func synthesize(ctx context.Context, r Resolver, addrs []netip.Addr) []netip.Addr {
	answers := make(chan Answer, 1)
	go func() { // ends with Resolve, which the loop below waits for
		defer close(answers)
		_ = r.Resolve(ctx, Query{Host: nat64Name, Family: IPv6}, func(a Answer) { answers <- a })
	}()
	var prefixes []netip.Prefix
	for a := range answers {
		prefixes = nat64Prefixes(a.usable())
	}
	var made []netip.Addr
	for _, p := range prefixes {
		for _, a := range addrs {
			made = append(made, embed(p, a))
		}
	}
	return made
}

// nat64Prefixes finds the prefixes in the addresses of nat64Name.
func nat64Prefixes(addrs []netip.Addr) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, a := range addrs {
		if len(prefixes) == maxPrefixes {
			break
		}
		for _, n := range nat64Lengths {
			p := netip.PrefixFrom(a, n).Masked()
			if isNAT64Addr(a, n) && !slices.Contains(prefixes, p) {
				prefixes = append(prefixes, p)
				break
			}
		}
	}
	return prefixes
}

func isNAT64Addr(a netip.Addr, length int) bool {
	b := a.As16()
	var v4 []byte
	for _, i := range embedding(length) {
		v4 = append(v4, b[i])
	}
	return slices.ContainsFunc(nat64Addrs, func(known []byte) bool { return bytes.Equal(known, v4) })
}

// embed returns the address in p that stands for an IPv4 address.
func embed(p netip.Prefix, v4 netip.Addr) netip.Addr {
	b, from := p.Masked().Addr().As16(), v4.As4()
	for i, at := range embedding(p.Bits()) {
		b[at] = from[i]
	}
	return netip.AddrFrom16(b)
}

// embedding returns which bytes of an IPv6 address hold the IPv4 one behind a
// prefix of so many bits: those that follow it, but for byte 8, which is zero
// (RFC 6052 section 2.2).
func embedding(length int) [4]int {
	var at [4]int
	next := length / 8
	for i := range at {
		if next == 8 {
			next++
		}
		at[i] = next
		next++
	}
	return at
}

// extract returns the IPv4 address for which one under p stands.
func extract(p netip.Prefix, a netip.Addr) netip.Addr {
	b := a.As16()
	var v4 [4]byte
	for i, at := range embedding(p.Bits()) {
		v4[i] = b[at]
	}
	return netip.AddrFrom4(v4)
}

// askNAT64 asks for the prefixes of the network's NAT64, if there is IPv6
// alone to reach the Internet with.
func (k *knowledge) askNAT64() {
	if k.host != nat64Name && k.cfg.Family.includes(IPv6) && k.reaches(anyGlobalIPv6) && !k.reaches(anyGlobalIPv4) {
		k.nat64Due = true
		k.questions = append(k.questions, Query{Host: nat64Name, Family: IPv6})
	}
}

// isNAT64 reports whether q is the question that askNAT64 puts.
func (k *knowledge) isNAT64(q Query) bool {
	return k.cfg.Service != nil && q.Host == nat64Name && k.host != nat64Name
}

// learnNAT64 takes in the addresses of nat64Name. Once there is a NAT64, IPv4
// addresses are of use.
func (k *knowledge) learnNAT64(addrs []netip.Addr) {
	k.nat64Due = false
	k.prefixes = nat64Prefixes(addrs)
	if len(k.prefixes) == 0 || k.asking != IPv6 || k.cfg.Family == IPv6 {
		return
	}
	k.asking = 0
	for _, n := range k.names {
		n.found[IPv4] = found{}
		k.questions = append(k.questions, Query{Host: n.host, Family: IPv4})
	}
}

// embedded returns the IPv4 address that a stands for, if that is of a NAT64.
func (k *knowledge) embedded(a netip.Addr) (netip.Addr, bool) {
	if wellKnownPrefix.Contains(a) {
		return extract(wellKnownPrefix, a), true
	}
	for _, p := range k.prefixes {
		if p.Contains(a) {
			return extract(p, a), true
		}
	}
	return netip.Addr{}, false
}

// translatable reports whether a is an address beyond this network that may
// stand behind p (RFC 6052 section 3.1).
func translatable(p netip.Prefix, a netip.Addr) bool {
	return a.IsGlobalUnicast() && (p != wellKnownPrefix || !a.IsPrivate())
}
