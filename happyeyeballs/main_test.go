package happyeyeballs_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/strata-go/strata/happyeyeballs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ms    = time.Millisecond
	never = time.Duration(-1)
)

var errRefused = errors.New("refused")

// A said is an answer and when a script gives it.
type said struct {
	at     time.Duration // never: when the lookup is canceled
	family happyeyeballs.Family
	addrs  string // separated by blanks
	err    error
}

// A script is a resolver that says what is written. Its lookup ends with the
// last answer.
type script struct {
	mu      sync.Mutex
	answers map[string][]said
	queries []happyeyeballs.Query
}

func (s *script) Resolve(ctx context.Context, q happyeyeballs.Query, answer func(happyeyeballs.Answer)) error {
	s.mu.Lock()
	s.queries = append(s.queries, q)
	s.mu.Unlock()
	start := time.Now()
	for _, line := range s.answers[q.Host] {
		if q.Family != 0 && line.family != q.Family {
			continue
		}
		var at <-chan time.Time
		if line.at != never {
			at = time.After(line.at - time.Since(start))
		}
		select {
		case <-at:
			answer(happyeyeballs.Answer{Family: line.family, Addrs: addrs(line.addrs), Err: line.err})
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (s *script) asked() []happyeyeballs.Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queries
}

func addrs(list string) []netip.Addr {
	var found []netip.Addr
	for field := range strings.FieldsSeq(list) {
		found = append(found, netip.MustParseAddr(field))
	}
	return found
}

// A reaction is what an address does when it is dialed. The zero reaction is
// that of one that drops everything.
type reaction struct {
	after    time.Duration // succeeds, or fails if there is an error
	err      error
	answers  time.Duration // calls progress then
	stubborn bool          // does not look at its context
}

var (
	quick = reaction{after: 1 * ms}
	gone  = reaction{}
)

func refuse(after time.Duration) reaction { return reaction{after: after, err: errRefused} }

// A network dials as scripted and counts what is open.
type network struct {
	hosts  map[string]reaction
	opened atomic.Int32
	closed atomic.Int32
}

// A link is a connection of a network.
type link struct {
	*network
	addr string
}

func (l *link) Close() error {
	l.closed.Add(1)
	return nil
}

func (n *network) dial(ctx context.Context, c happyeyeballs.Candidate, progress func()) (*link, error) {
	return n.dialAs(ctx, c.Addr.Addr().String(), progress)
}

func (n *network) dialAs(ctx context.Context, addr string, progress func()) (*link, error) {
	r := n.hosts[addr]
	done := ctx.Done()
	if r.stubborn {
		done = nil
	}
	if r.answers != 0 {
		select {
		case <-time.After(r.answers):
			progress()
			progress() // counts once
		case <-done:
			return nil, context.Cause(ctx)
		}
	}
	var after <-chan time.Time
	if r != gone && (r.after != 0 || r.err != nil) {
		after = time.After(r.after - r.answers)
	}
	select {
	case <-after:
	case <-done:
		return nil, context.Cause(ctx)
	}
	if r.err != nil {
		return nil, r.err
	}
	n.opened.Add(1)
	return &link{n, addr}, nil
}

// dualStack is the Source of a host with both families.
func dualStack(dst netip.Addr) netip.Addr {
	if dst.Is4() {
		return netip.MustParseAddr("192.0.2.200")
	}
	return netip.MustParseAddr("2001:db8:ffff::1")
}

// only returns the Source of a host with one family.
func only(f happyeyeballs.Family) func(netip.Addr) netip.Addr {
	return func(dst netip.Addr) netip.Addr {
		if dst.Is4() != (f == happyeyeballs.IPv4) {
			return netip.Addr{}
		}
		return dualStack(dst)
	}
}

// attempts writes a report as the tests expect it.
func attempts(r *happyeyeballs.Report) []string {
	var lines []string
	for _, a := range r.Attempts {
		lines = append(lines, fmt.Sprintf("%v %v %v %v", a.Start, a.Addr.Addr(), a.Outcome, a.End))
	}
	return lines
}

// loopback is the Source of a host without a network.
func loopback(dst netip.Addr) netip.Addr {
	if dst.IsLoopback() {
		return dst
	}
	return netip.Addr{}
}
