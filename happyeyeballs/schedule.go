package happyeyeballs

import (
	"net/netip"
	"slices"
	"time"
)

// A schedule decides which candidate is tried next, and when, and what to ask
// for. It has no clock and no goroutines: it is told what happened, with the
// time since the race began, and asked when the next attempt is due.
type schedule struct {
	knowledge

	heard   time.Duration // when the first address became known
	tried   map[key]bool
	untried []*endpoint // in the order in which they will be tried

	last      key // of the attempt that was started last
	lastStart time.Duration
	lastEnded bool
	running   int
	advanced  map[key]time.Duration // when running attempts made progress; nil before one has
}

func newSchedule(cfg Config, host string, port uint16) *schedule {
	return &schedule{
		knowledge: newKnowledge(cfg, host, port),
		heard:     -1,
		tried:     map[key]bool{},
	}
}

// answered takes in what is known of a family of a name now. Addresses that
// are gone are not tried any more; attempts to them go on (RFC 8305 section 6).
func (s *schedule) answered(now time.Duration, host string, f Family, addrs []netip.Addr, err error) {
	s.learn(host, f, addrs, err)
	s.arrange(now)
}

// recorded takes in the service records of a name. The error is that of the
// answer, or of aliases that lead nowhere.
func (s *schedule) recorded(now time.Duration, host string, rs []Record, err error) error {
	err = s.learnRecords(host, rs, err)
	s.arrange(now)
	return err
}

// synthesized takes in addresses that lead to IPv4 addresses through NAT64.
func (s *schedule) synthesized(now time.Duration, addrs []netip.Addr) {
	s.nat64 = addrs
	s.arrange(now)
}

// arrange sorts what is known, and finds what is left to try. It sorts the
// tried ones with the others, so that the families go on taking turns when
// addresses come late.
func (s *schedule) arrange(now time.Duration) {
	all := s.order(s.endpoints())
	if len(all) > 0 && s.heard < 0 {
		s.heard = now
	}
	seen := make(map[key]bool, len(all))
	s.untried = slices.DeleteFunc(all, func(e *endpoint) bool {
		k := e.key()
		drop := s.tried[k] || seen[k]
		seen[k] = true
		return drop
	})
}

// due returns when the next attempt may start, which may have passed, and
// false if that takes more than time: an address, or the end of an attempt.
func (s *schedule) due() (time.Duration, bool) {
	switch {
	case len(s.untried) == 0:
		return 0, false
	case len(s.tried) == 0 && s.cfg.Service != nil:
		return s.firstServiceDue()
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
	host := s.name(s.host)
	if host.settled(IPv6) && (host.settled(IPv4) || s.untried[0].usable()) {
		return s.heard
	}
	return s.heard + max(s.cfg.ResolutionDelay, 0)
}

// firstServiceDue is firstDue where there may be records: at once if they are
// there, and the addresses of the family that matters most, after the
// resolution delay if not. Who relies on what records say waits for them.
func (s *schedule) firstServiceDue() (time.Duration, bool) {
	switch {
	case s.relies() && !s.settledRecords:
		return 0, false
	case s.settledRecords && s.preferredKnown() && (s.untried[0].usable() || s.settledAll()):
		return s.heard, true
	}
	return s.heard + max(s.cfg.ResolutionDelay, 0), true
}

// floor is the time that must lie between the starts of two attempts, however
// soon the first failed (RFC 8305 section 5). It spares networks, and there is
// none between this host and itself.
func (s *schedule) floor() time.Duration {
	if s.last.addr.Addr().IsLoopback() {
		return 0
	}
	return attemptFloor
}

// start takes the next candidate, for an attempt that starts now.
func (s *schedule) start(now time.Duration) Candidate {
	c := s.untried[0].Candidate
	s.untried = s.untried[1:]
	s.last = c.key()
	s.tried[s.last] = true
	s.lastStart, s.lastEnded = now, false
	s.running++
	return c
}

// ended takes in that an attempt came to nothing. Only the one that was started last
// brings the next forward: that an earlier one failed says nothing about those
// after it, which are to have their time.
func (s *schedule) ended(c Candidate) {
	k := c.key()
	s.running--
	delete(s.advanced, k)
	if k == s.last {
		s.lastEnded = true
	}
}

// progressed puts off the next attempt for the sake of one that gets on. It
// does so once for each, or one that never gets anywhere could hold up all.
func (s *schedule) progressed(now time.Duration, c Candidate) bool {
	k := c.key()
	if _, again := s.advanced[k]; again {
		return false
	}
	if s.advanced == nil {
		s.advanced = map[key]time.Duration{}
	}
	s.advanced[k] = now
	return true
}

// stuck reports whether everything known was tried in vain and no answer is
// left to wait for.
func (s *schedule) stuck() bool {
	return len(s.untried) == 0 && s.running == 0 && s.settledAll()
}
