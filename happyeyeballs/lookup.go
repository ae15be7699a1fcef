package happyeyeballs

import (
	"net"
	"net/netip"
	"time"
)

// resolve starts the lookup of a name. An address is all that is known of it,
// and if it needs NAT64 there is nothing to wait for first.
func (r *race[S]) resolve() {
	a, err := netip.ParseAddr(r.report.Host)
	if err != nil {
		r.schedule.askHost()
		return
	}
	r.lastResort = 0
	r.isAddress(a.Unmap())
}

func (r *race[S]) isAddress(a netip.Addr) {
	r.schedule.isAddress(a)
	q := Query{Host: r.report.Host, Family: r.cfg.Family}
	if f := q.Family; !f.includes(familyOf(a)) {
		r.answered(q, Answer{Family: f, Err: &net.AddrError{Err: "not an " + f.String() + " address", Addr: a.String()}})
		return
	}
	r.answered(q, Answer{Family: familyOf(a), Addrs: []netip.Addr{a}})
}

// ask has the resolver look for what is to be known.
func (r *race[S]) ask() {
	for _, q := range r.schedule.questions {
		err := errResolverExited
		r.spawn(func() {
			err = r.cfg.Resolver.Resolve(r.ctx, q, func(a Answer) { r.post(func() { r.answered(q, a) }) })
		}, func() { r.settle(q, err) })
	}
	r.schedule.questions = nil
}

// answered takes in what the resolver has to say about what it was asked.
func (r *race[S]) answered(q Query, a Answer) {
	if r.over || a.Family == 0 && q.Records == "" || a.Family != 0 && !q.Family.includes(a.Family) {
		return
	}
	a.Addrs = a.usable()
	switch {
	case a.Family == 0:
		a.Addrs = nil
		a.Err = r.schedule.recorded(r.now(), q.Host, a.Records, a.Err)
	case r.schedule.isNAT64(q):
		r.schedule.learnNAT64(a.Addrs)
		r.schedule.arrange(r.now())
	default:
		r.schedule.answered(r.now(), q.Host, a.Family, a.Addrs, a.Err)
	}
	r.report.Answers = append(r.report.Answers, Lookup{Answer: a, Host: trimmed(q.Host), At: r.now()})
	r.trace(Event{Kind: Answered, Answer: a})
	if r.schedule.abandoned() {
		r.over = true
		r.cancel()
	}
}

// settle gives what had no answer an empty one. That a resolver does not look
// for records says nothing about them, which matters to who relies on them.
func (r *race[S]) settle(q Query, err error) {
	for _, f := range kinds {
		a := Answer{Family: f, Err: err}
		if f == 0 && err == nil && r.schedule.relies() {
			a.Err = errNoRecords
		}
		if !r.schedule.settled(q, f) {
			r.answered(q, a)
		}
	}
}

// resortDue tells when to look for a NAT64, and whether that is of use.
func (r *race[S]) resortDue() (time.Duration, bool) {
	if r.triedResort || len(r.schedule.behindNAT64()) == 0 {
		return 0, false
	}
	if r.schedule.stuck() {
		return 0, true
	}
	return r.lastResort, true
}

func (r *race[S]) synthesize() {
	r.triedResort = true
	var made []netip.Addr
	addrs := r.schedule.behindNAT64()
	r.spawn(func() {
		made = synthesize(r.ctx, r.cfg.Resolver, addrs)
	}, func() { r.schedule.synthesized(r.now(), made) })
}
