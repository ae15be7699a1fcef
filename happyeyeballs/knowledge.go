package happyeyeballs

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// An answer of 64 KiB has room for thousands of records and of addresses, which
// are multiplied with each other.
const (
	maxAliases  = 8  // how many aliases lead to a record at most (RFC 9460 section 3.1)
	maxTargets  = 8  // for how many names to which records lead addresses are asked
	maxServices = 16 // how many services of a host count
	maxAddrs    = 32 // how many addresses of a family those of a name are in a race of version 3
	maxPrefixes = 4  // how many prefixes of its NAT64 a network has
)

// knowledge is what a race has learned about its host, and what it has asked.
type knowledge struct {
	cfg     Config
	host    string
	port    uint16
	sources map[netip.Addr]netip.Addr // what cfg.Source said

	asking    Family  // the families to ask for
	names     []*name // in the order in which they came up
	questions []Query // still to be asked

	chain          []string // the host and its aliases, in the end the one with the records
	settledRecords bool
	recordsErr     error
	services       []Record // that we can use, in the order of their priorities
	offered        []string // what is spoken where we speak nothing
	targets        []string // of services, also of those that we cannot use
	reliant        bool     // on what records lead to

	nat64    []netip.Addr // made of IPv4 addresses, see nat64.go
	prefixes []netip.Prefix
	nat64Due bool // the answer about prefixes is to come
}

// A name is what is known about a name.
type name struct {
	host     string          // as it is asked for
	found    [IPv6 + 1]found // by the family
	recorded bool            // there was an answer about records
}

type found struct {
	settled bool // nothing is to come, or something has
	failed  bool // and it could not be had
	addrs   []netip.Addr
}

// indexName returns where host is in names, and -1 if it is not.
func indexName(names []string, host string) int {
	return slices.IndexFunc(names, func(n string) bool { return sameName(n, host) })
}

func (n *name) settled(f Family) bool { return n.found[f].settled }

// sameName reports whether a and b are the same name. One with a final dot is
// the same without, though it is looked up otherwise.
func sameName(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

func newKnowledge(cfg Config, host string, port uint16) knowledge {
	return knowledge{
		cfg: cfg, host: host, port: port,
		sources: map[netip.Addr]netip.Addr{},
		asking:  cfg.Family,
		chain:   []string{host},
	}
}

// name returns what is known of host.
func (k *knowledge) name(host string) *name {
	if i := k.indexOf(host); i >= 0 {
		return k.names[i]
	}
	n := &name{host: host}
	k.names = append(k.names, n)
	return n
}

// ask puts the question for a host's addresses and, unless typ is empty, for
// records.
func (k *knowledge) ask(host string, typ RecordType, prefix string) {
	n := k.name(host)
	for _, f := range families {
		if !k.asking.includes(f) {
			n.found[f] = found{settled: true}
		}
	}
	k.questions = append(k.questions, Query{Host: host, Family: k.asking, Records: typ, Prefix: prefix})
}

func (k *knowledge) indexOf(host string) int {
	return slices.IndexFunc(k.names, func(n *name) bool { return sameName(n.host, host) })
}

// askHost puts the first questions. A race of version 3 asks for the families
// only that the host can use, and for the way to others that it might.
func (k *knowledge) askHost() {
	if k.cfg.Service == nil {
		k.settledRecords = true
		k.ask(k.host, "", "")
		return
	}
	k.asking = k.connected()
	typ, prefix := k.cfg.Service.question(k.port)
	k.settledRecords = typ == ""
	k.ask(k.host, typ, prefix)
	k.askNAT64()
}

// isAddress takes in that the host is an address, of which there is no more to
// know than a way through a NAT64.
func (k *knowledge) isAddress(a netip.Addr) {
	k.settledRecords = true
	for _, f := range families {
		k.name(k.host).found[f] = found{settled: true}
	}
	switch {
	case k.cfg.Service == nil:
	case !a.Is4() || !a.IsGlobalUnicast():
		k.sources[a] = a // there is nothing to compare it with, and asking takes longer than all the rest
	case !k.source(a).IsValid():
		k.askNAT64()
	}
}

// settled reports whether there was an answer to a question about a family, or
// about records if that is zero.
func (k *knowledge) settled(q Query, f Family) bool {
	switch {
	case k.isNAT64(q):
		return !k.nat64Due
	case f == 0:
		return k.name(q.Host).recorded
	}
	return k.name(q.Host).settled(f)
}

// abandoned reports whether nothing may be tried since it is not known what
// records say. That there are none would be known.
func (k *knowledge) abandoned() bool {
	return k.relies() && k.settledRecords && k.recordsErr != nil && !isNotFound(k.recordsErr)
}

// relies reports whether nothing may be tried before it is known what records
// say.
func (k *knowledge) relies() bool { return k.cfg.Service != nil && k.cfg.Service.ECH == ECHRelied }

// mismatch returns the error of a host that speaks other protocols, and nil
// for others.
func (k *knowledge) mismatch() error {
	if len(k.offered) == 0 || len(k.endpoints()) > 0 {
		return nil
	}
	return &ProtocolError{Host: k.host, Offered: slices.Compact(slices.Sorted(slices.Values(k.offered)))}
}

// connected returns the families with a route to the Internet from an address
// that is not link-local, out of those that are allowed. Without any there may
// be a network all the same, or the host is this one.
func (k *knowledge) connected() Family {
	v4, v6 := k.reaches(anyGlobalIPv4), k.reaches(anyGlobalIPv6)
	switch {
	case k.cfg.Family != 0 || v4 == v6:
		return k.cfg.Family
	case v4:
		return IPv4
	}
	return IPv6
}

func (k *knowledge) reaches(a netip.Addr) bool {
	source := k.source(a)
	return source.IsValid() && scopeOf(source) == global
}

func (k *knowledge) source(a netip.Addr) netip.Addr {
	source, ok := k.sources[a]
	if !ok {
		source = k.cfg.Source(a)
		k.sources[a] = source
	}
	return source
}

// learn takes in the addresses of a name.
func (k *knowledge) learn(host string, f Family, addrs []netip.Addr, err error) {
	k.name(host).found[f] = found{settled: true, failed: err != nil && !isNotFound(err), addrs: addrs}
}

// learnRecords takes in the records of a name of the chain. Records that are
// aliases lead to the next, which is asked for; otherwise the search has ended.
func (k *knowledge) learnRecords(host string, rs []Record, err error) error {
	k.name(host).recorded = true
	i := indexName(k.chain, host)
	if i < 0 {
		return err
	}
	k.chain = k.chain[:i+1]
	k.services, k.offered, k.targets, k.reliant = nil, nil, nil, false
	if target, ok := k.alias(rs); ok && target != "" {
		if err = k.follow(target); err == nil {
			return nil
		}
	} else if !ok {
		k.serve(rs)
	}
	k.settledRecords, k.recordsErr = true, err
	return err
}

// end is the name at the end of the chain: the host without aliases.
func (k *knowledge) end() string { return k.chain[len(k.chain)-1] }

// alias returns the target of one of the aliases in rs, whatever else is there
// (RFC 9460 section 2.4.1).
func (k *knowledge) alias(rs []Record) (target string, ok bool) {
	var aliases []string
	for _, r := range rs {
		if r.Priority == 0 {
			aliases = append(aliases, r.Target)
		}
	}
	if len(aliases) == 0 {
		return "", false
	}
	k.cfg.shuffle(len(aliases), func(i, j int) { aliases[i], aliases[j] = aliases[j], aliases[i] })
	return aliases[0], true
}

// follow goes on to the records of an alias, which are at its own name, and to
// its addresses.
func (k *knowledge) follow(target string) error {
	if indexName(k.chain, target) >= 0 || len(k.chain) > maxAliases {
		return &net.DNSError{Err: "aliases of a service that lead nowhere", Name: k.host}
	}
	k.settledRecords = false
	k.chain = append(k.chain, target+".")
	typ, _ := k.cfg.Service.question(k.port)
	k.ask(target+".", typ, "")
	return nil
}

// serve takes in records with services, and asks for the addresses of their
// targets.
func (k *knowledge) serve(rs []Record) {
	rs = slices.Clone(rs)
	k.cfg.shuffle(len(rs), func(i, j int) { rs[i], rs[j] = rs[j], rs[i] })
	slices.SortStableFunc(rs, func(a, b Record) int { return cmp.Compare(a.Priority, b.Priority) })
	k.reliant = k.cfg.Service.ECH != ECHIgnored && len(rs) > 0
	for _, r := range rs {
		r.Target = k.target(r)
		k.reliant = k.reliant && len(r.ECH) > 0
		if !k.aim(r.Target) {
			continue
		}
		spoken := k.cfg.Service.spoken(r)
		switch {
		case len(k.cfg.Service.offers(spoken)) == 0:
			k.offered = append(k.offered, spoken...)
		case len(k.services) < maxServices:
			k.services = append(k.services, r)
		}
	}
}

// aim notes the target of a service, and asks for its addresses. It returns
// false if there are too many.
func (k *knowledge) aim(target string) bool {
	if indexName(k.targets, target) >= 0 {
		return true
	}
	if len(k.targets) == maxTargets {
		return false
	}
	k.targets = append(k.targets, target)
	if k.indexOf(target) < 0 { // it was not asked for yet
		k.ask(target, "", "")
	}
	return true
}

// target is the name whose addresses are those of a service. Records of a
// name with a prefix are about that (RFC 9460 section 2.5.2).
func (k *knowledge) target(r Record) string {
	switch {
	case r.Target != "":
		return r.Target + "."
	case len(k.chain) > 1:
		return k.end()
	}
	if _, prefix := k.cfg.Service.question(k.port); prefix != "" {
		return prefix + k.host
	}
	return k.host
}

// preferred is the family whose answer is worth a wait.
func (k *knowledge) preferred() Family {
	if k.asking == IPv4 {
		return IPv4
	}
	return IPv6
}

// preferredKnown reports whether it is known if what is to be tried first has
// addresses of the preferred family, be it from a hint.
func (k *knowledge) preferredKnown() bool {
	f := k.preferred()
	if len(k.services) == 0 {
		return k.name(k.end()).settled(f)
	}
	for _, r := range k.services {
		if r.Priority == k.services[0].Priority && !k.name(r.Target).settled(f) && len(r.hints(f)) == 0 {
			return false
		}
	}
	return true
}

// settledAll reports whether no answer is to come.
func (k *knowledge) settledAll() bool {
	for _, n := range k.names {
		if !n.settled(IPv6) || !n.settled(IPv4) {
			return false
		}
	}
	return k.settledRecords && !k.nat64Due
}
