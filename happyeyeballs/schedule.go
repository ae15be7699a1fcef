package happyeyeballs

import (
	"net/netip"
	"slices"
	"time"
)

// A schedule decides which address is tried next, and when. It has no clock
// and no goroutines: it is told what happened, with the time since the race
// began, and asked when the next attempt is due.
type schedule struct {
	cfg     Config
	port    uint16
	sources map[netip.Addr]netip.Addr // what cfg.Source said

	heard   time.Duration // when the first address became known
	settled map[Family]bool
	found   map[Family][]netip.Addr
	nat64   []netip.Addr // made of IPv4 addresses, see nat64.go
	tried   map[netip.Addr]bool
	untried []destination // in the order in which they will be tried

	last      netip.Addr // of the attempt that was started last
	lastStart time.Duration
	lastEnded bool
	running   int
	advanced  map[netip.Addr]time.Duration // when running attempts made progress
}

func newSchedule(cfg Config, port uint16) *schedule {
	return &schedule{
		cfg: cfg, port: port, heard: -1,
		sources:  map[netip.Addr]netip.Addr{},
		settled:  map[Family]bool{IPv4: !cfg.Family.includes(IPv4), IPv6: !cfg.Family.includes(IPv6)},
		found:    map[Family][]netip.Addr{},
		tried:    map[netip.Addr]bool{},
		advanced: map[netip.Addr]time.Duration{},
	}
}

// answered takes in what is known of a family now. Addresses that are gone are
// not tried any more; attempts to them go on (RFC 8305 section 6).
func (s *schedule) answered(now time.Duration, f Family, addrs []netip.Addr) {
	s.settled[f] = true
	s.found[f] = addrs
	s.arrange(now)
}

// synthesized takes in addresses that lead to IPv4 addresses through NAT64.
func (s *schedule) synthesized(now time.Duration, addrs []netip.Addr) {
	s.nat64 = addrs
	s.arrange(now)
}

// arrange sorts what is known, and finds what is left to try. It sorts the
// tried ones with the others, so that the families go on taking turns when
// addresses come late. Those that cannot be reached take no turns: they come
// at the end.
func (s *schedule) arrange(now time.Duration) {
	addrs := slices.Concat(s.found[IPv6], s.nat64, s.found[IPv4])
	if len(addrs) > 0 && s.heard < 0 {
		s.heard = now
	}
	ds := make([]destination, len(addrs))
	for i, a := range addrs {
		ds[i] = newDestination(a, s.source(a))
	}
	sortDestinations(ds)
	reachable := slices.IndexFunc(ds, func(d destination) bool { return !d.usable() })
	if reachable < 0 {
		reachable = len(ds)
	}
	ds = append(interleave(ds[:reachable], s.cfg.FirstFamilyCount), ds[reachable:]...)
	s.untried = slices.DeleteFunc(ds, func(d destination) bool { return s.tried[d.addr] })
}

func (s *schedule) source(a netip.Addr) netip.Addr {
	source, ok := s.sources[a]
	if !ok {
		source = s.cfg.Source(a)
		s.sources[a] = source
	}
	return source
}

// due returns when the next attempt may start, which may have passed, and
// false if that takes more than time: an address, or the end of an attempt.
func (s *schedule) due() (time.Duration, bool) {
	switch {
	case len(s.untried) == 0:
		return 0, false
	case len(s.tried) == 0:
		return s.firstDue(), true
	case s.cfg.AttemptDelay < 0:
		return s.lastStart + s.floor(), s.running == 0
	case s.lastEnded:
		return s.putOff(s.lastStart + s.floor()), true
	}
	return s.putOff(s.lastStart + s.cfg.AttemptDelay), true
}

// putOff returns the time for an attempt that is due at t, which is later
// while others get on.
func (s *schedule) putOff(t time.Duration) time.Duration {
	for _, at := range s.advanced {
		t = max(t, at+s.cfg.AttemptDelay)
	}
	return t
}

// firstDue tells when the first attempt may start: at once if the answer about
// IPv6 is there, after the resolution delay if not. The same goes if all that
// is there cannot be reached while the other family might be.
func (s *schedule) firstDue() time.Duration {
	if s.settled[IPv6] && (s.settled[IPv4] || s.untried[0].usable()) {
		return s.heard
	}
	return s.heard + max(s.cfg.ResolutionDelay, 0)
}

// floor is the time that must lie between the starts of two attempts, however
// soon the first failed (RFC 8305 section 5). It spares networks, and there is
// none between this host and itself.
func (s *schedule) floor() time.Duration {
	if s.last.IsLoopback() {
		return 0
	}
	return attemptFloor
}

// start takes the next candidate, for an attempt that starts now.
func (s *schedule) start(now time.Duration) Candidate {
	s.last = s.untried[0].addr
	s.untried = s.untried[1:]
	s.tried[s.last] = true
	s.lastStart, s.lastEnded = now, false
	s.running++
	return Candidate{Addr: netip.AddrPortFrom(s.last, s.port)}
}

// ended takes in that an attempt came to nothing. Only the one that was started last
// brings the next forward: that an earlier one failed says nothing about those
// after it, which are to have their time.
func (s *schedule) ended(c Candidate) {
	s.running--
	delete(s.advanced, c.Addr.Addr())
	if c.Addr.Addr() == s.last {
		s.lastEnded = true
	}
}

// progressed puts off the next attempt for the sake of one that gets on. It
// does so once for each, or one that never gets anywhere could hold up all.
func (s *schedule) progressed(now time.Duration, c Candidate) bool {
	if _, again := s.advanced[c.Addr.Addr()]; again {
		return false
	}
	s.advanced[c.Addr.Addr()] = now
	return true
}

// stuck reports whether everything known was tried in vain and no answer is
// left to wait for.
func (s *schedule) stuck() bool {
	return len(s.untried) == 0 && s.running == 0 && s.settled[IPv4] && s.settled[IPv6]
}
