package happyeyeballs

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// An endpoint is a candidate with what decides its place among others. The
// destination is what it counts as: the IPv4 address behind a NAT64.
type endpoint struct {
	Candidate
	destination
	group
}

// A group is where an endpoint belongs before addresses are compared.
type group struct {
	stage    stage
	protocol int // of Service.Protocols, the best that is spoken there
	service  int // of the services, in the order of their priorities
}

// A stage is what comes before anything of the next is tried.
type stage int

const (
	services  stage = iota // that records lead to
	plainer                // those without ECH, where that is relied upon
	aliased                // the name at the end of a chain of aliases (RFC 9460 section 3)
	unrelated              // the host's own addresses, of which no record tells
)

// endpoints returns all that is known to lead to the host, in the order of the
// resolver.
func (k *knowledge) endpoints() []*endpoint {
	var es []*endpoint
	for i, r := range k.services {
		es = append(es, k.ofService(i, r)...)
	}
	if k.reliant {
		return es
	}
	if end := k.end(); end != k.host && indexName(k.targets, end) < 0 {
		es = append(es, k.ofName(end, aliased)...)
	}
	if indexName(k.targets, k.host) < 0 {
		es = append(es, k.ofName(k.host, unrelated)...)
	}
	return es
}

// ofService returns the endpoints of a service.
func (k *knowledge) ofService(i int, r Record) []*endpoint {
	g := group{service: i}
	c := Candidate{Priority: r.Priority, Target: trimmed(r.Target)}
	switch policy := k.cfg.Service.ECH; {
	case policy != ECHIgnored && len(r.ECH) > 0:
		c.ECH = r.ECH
	case policy == ECHRelied:
		g.stage = plainer
	}
	addrs := k.addrs(r.Target, r)
	return k.combine(c, g, addrs, cmp.Or(r.Port, k.port), k.cfg.Service.offers(k.cfg.Service.spoken(r)))
}

// ofName returns the endpoints of a name of which no record tells.
func (k *knowledge) ofName(host string, at stage) []*endpoint {
	c, offers := Candidate{}, []offer{{}}
	if k.cfg.Service != nil {
		c.Target, offers = trimmed(host), k.cfg.Service.offers(nil)
	}
	return k.combine(c, group{stage: at}, k.addrs(host, Record{}), k.port, offers)
}

func trimmed(host string) string { return strings.TrimSuffix(host, ".") }

// addrs returns the addresses of a name. As long as those of a family are not
// known, the hints of a record stand in for them.
func (k *knowledge) addrs(host string, r Record) []netip.Addr {
	var all []netip.Addr
	for _, f := range families {
		switch known := k.name(host).found[f]; {
		case known.settled && !known.failed:
			all = append(all, k.limited(known.addrs)...)
		case k.cfg.Family.includes(f):
			all = append(all, k.limited(r.hints(f))...)
		}
		if f == IPv6 {
			all = append(all, k.nat64...)
		}
	}
	return all
}

// limited returns those of addrs that count. A race without services has them
// all, and tries each once.
func (k *knowledge) limited(addrs []netip.Addr) []netip.Addr {
	if k.cfg.Service == nil {
		return addrs
	}
	return addrs[:min(len(addrs), maxAddrs)]
}

// combine makes endpoints of addresses and the transports for each.
func (k *knowledge) combine(c Candidate, g group, addrs []netip.Addr, port uint16, offers []offer) []*endpoint {
	es := make([]*endpoint, 0, len(offers)*len(addrs))
	for _, o := range offers {
		c.Transport, c.ALPN, g.protocol = o.transport, o.alpn, o.rank
		for _, a := range addrs {
			for _, w := range k.ways(a) {
				c.Addr = netip.AddrPortFrom(w.to, port)
				es = append(es, &endpoint{c, w.destination, g})
			}
		}
	}
	return es
}

// A way is how to reach an address.
type way struct {
	to netip.Addr
	destination
}

// ways returns how to reach a: as it is or, in a race of version 3, through a
// NAT64 if there is no other way. What goes through one counts as the IPv4
// address that it is.
func (k *knowledge) ways(a netip.Addr) []way {
	direct := []way{{a, newDestination(a, k.source(a))}}
	if k.cfg.Service == nil {
		return direct
	}
	v4, synthetic := a, false
	if !a.Is4() {
		if v4, synthetic = k.embedded(a); !synthetic {
			return direct
		}
	}
	if source := k.source(v4); source.IsValid() && k.cfg.Family.includes(IPv4) {
		return []way{{v4, newDestination(v4, source)}}
	}
	if synthetic {
		return []way{{a, translated(v4, k.source(a))}}
	}
	var ws []way
	for _, p := range k.prefixes {
		if translatable(p, v4) {
			to := embed(p, v4)
			ws = append(ws, way{to, translated(v4, k.source(to))})
		}
	}
	if len(ws) == 0 {
		return direct
	}
	return ws
}

// order sorts endpoints into the order in which they are to be tried. Those
// that cannot be reached take no turns: they come at the end.
func (k *knowledge) order(es []*endpoint) []*endpoint {
	slices.SortStableFunc(es, func(a, b *endpoint) int {
		return cmp.Or(prefer(a.usable(), b.usable()), compareGroups(a.group, b.group), compareDestinations(a.destination, b.destination))
	})
	if len(es) <= 2 {
		return es // there is nothing to take turns with
	}
	var ordered []*endpoint
	for _, stage := range runs(es, func(a, b *endpoint) bool { return a.usable() == b.usable() && a.stage == b.stage }) {
		ordered = append(ordered, k.mix(stage)...)
	}
	return ordered
}

func compareGroups(a, b group) int {
	return cmp.Or(cmp.Compare(a.stage, b.stage), cmp.Compare(a.protocol, b.protocol), cmp.Compare(a.service, b.service))
}

// mix orders the endpoints of a stage. Within each service the families take
// turns, and the protocols do so in the whole: when the first address of each
// family was tried with one, it is the next one's turn, lest a network without
// UDP make TCP wait for a long list of addresses.
func (k *knowledge) mix(es []*endpoint) []*endpoint {
	n := k.cfg.FirstFamilyCount
	if n < 0 || !es[0].usable() {
		return es
	}
	var protocols [][]*endpoint
	for _, protocol := range runs(es, func(a, b *endpoint) bool { return a.protocol == b.protocol }) {
		var list []*endpoint
		for _, service := range runs(protocol, func(a, b *endpoint) bool { return a.service == b.service }) {
			list = append(list, interleave(service, n)...)
		}
		protocols = append(protocols, list)
	}
	return takeTurns(protocols, n+1)
}

// runs splits es where neighbors are not the same.
func runs(es []*endpoint, same func(a, b *endpoint) bool) [][]*endpoint {
	var all [][]*endpoint
	start := 0
	for i := range es {
		if i > 0 && !same(es[i-1], es[i]) {
			all = append(all, es[start:i])
			start = i
		}
	}
	if len(es) > 0 {
		all = append(all, es[start:])
	}
	return all
}

// takeTurns merges lists, n of each at a time.
func takeTurns(lists [][]*endpoint, n int) []*endpoint {
	if len(lists) == 1 {
		return lists[0]
	}
	var merged []*endpoint
	for len(lists) > 0 {
		rest := lists[:0]
		for _, list := range lists {
			m := min(n, len(list))
			merged = append(merged, list[:m]...)
			if m < len(list) {
				rest = append(rest, list[m:])
			}
		}
		lists = rest
	}
	return merged
}

// interleave lets the families take turns, after the first n of the family
// that comes first (RFC 8305 section 4).
func interleave(es []*endpoint, n int) []*endpoint {
	var first, second []*endpoint
	for _, e := range es {
		if familyOf(e.addr) == familyOf(es[0].addr) {
			first = append(first, e)
		} else {
			second = append(second, e)
		}
	}
	n = min(n, len(first))
	mixed := slices.Clone(first[:n])
	first = first[n:]
	for len(first) > 0 && len(second) > 0 {
		mixed = append(mixed, second[0], first[0])
		first, second = first[1:], second[1:]
	}
	return append(append(mixed, second...), first...)
}
