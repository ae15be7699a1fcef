package happyeyeballs_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/happyeyeballs"
)

// A line is what a zone answers about one family of a name, or its records if
// there is none, so long after it was asked.
type line struct {
	host    string // empty for host.test
	at      time.Duration
	family  happyeyeballs.Family
	addrs   string
	records []happyeyeballs.Record
	err     error
}

// A zone is a resolver that says what is written. About other names it can say
// nothing, after a second.
type zone struct {
	lines []line

	mu      sync.Mutex
	queries []happyeyeballs.Query
}

func (z *zone) Resolve(ctx context.Context, q happyeyeballs.Query, answer func(happyeyeballs.Answer)) error {
	z.mu.Lock()
	z.queries = append(z.queries, q)
	z.mu.Unlock()
	var wg sync.WaitGroup
	defer wg.Wait()
	known := false
	for _, l := range z.lines {
		if l.host == "" {
			l.host = "host.test"
		}
		known = known || l.host == strings.TrimSuffix(q.Host, ".")
		asked := q.Family == 0 || q.Family == l.family
		if l.family == 0 {
			asked = q.Records != ""
		}
		if !asked || l.host != strings.TrimSuffix(q.Host, ".") {
			continue
		}
		wg.Go(func() {
			var at <-chan time.Time
			if l.at != never {
				at = time.After(l.at)
			}
			select {
			case <-at:
				answer(happyeyeballs.Answer{Family: l.family, Addrs: addrs(l.addrs), Records: l.records, Err: l.err})
			case <-ctx.Done():
			}
		})
	}
	if known {
		return nil
	}
	select {
	case <-time.After(time.Second):
		return errServFail
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// asked returns the queries, one to a line.
func (z *zone) asked() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	var lines []string
	for _, q := range z.queries {
		lines = append(lines, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", q.Host, q.Family, q.Records, q.Prefix)), " "))
	}
	return lines
}

// A contest is a race of version 3 whose every start is known.
type contest struct {
	name  string
	rule  string // the section of the draft, draft-ietf-happy-happyeyeballs-v3, or of an RFC
	lines []line
	hosts map[string]reaction // by transport and address
	as    happyeyeballs.Service
	cfg   happyeyeballs.Config
	port  uint16   // zero means 443
	want  []string // start, candidate, outcome, end
	err   string   // what the error contains, if nobody wins
	asked []string // nil does not matter
}

// The candidates of a host with b1 and a1.
const (
	quic6 = "quic [2001:db8::1]:443"
	quic4 = "quic 192.0.2.1:443"
	tcp6  = "tcp [2001:db8::1]:443"
	tcp4  = "tcp 192.0.2.1:443"
)

// web speaks what browsers speak, and asks for HTTPS records.
var web = happyeyeballs.Service{
	Protocols: []happyeyeballs.Protocol{
		{ALPN: "h3", Transport: happyeyeballs.QUIC}, {ALPN: "h2"}, {ALPN: "http/1.1", Transport: happyeyeballs.TCP},
	},
	Records: "https",
}

func webWith(ech happyeyeballs.ECHPolicy) happyeyeballs.Service {
	v := web
	v.ECH = ech
	return v
}

// tcpOnly speaks no HTTP/3.
var tcpOnly = happyeyeballs.Service{Protocols: web.Protocols[1:], Records: "https"}

// own is a protocol of one's own, without records.
var own = happyeyeballs.Service{Protocols: []happyeyeballs.Protocol{
	{ALPN: "own", Transport: happyeyeballs.QUIC}, {ALPN: "own"},
}}

// has returns the line that gives host.test records.
func has(at time.Duration, rs ...happyeyeballs.Record) line { return line{at: at, records: rs} }

// here is a record for the host itself.
func here(alpn ...string) happyeyeballs.Record {
	return happyeyeballs.Record{Priority: 1, ALPN: alpn}
}

// there is a record for another name.
func there(priority uint16, target string, alpn ...string) happyeyeballs.Record {
	return happyeyeballs.Record{Priority: priority, Target: target, ALPN: alpn}
}

func aaaa(at time.Duration, list string) line { return line{at: at, family: v6, addrs: list} }
func a(at time.Duration, list string) line    { return line{at: at, family: v4, addrs: list} }

// of is l for another name.
func of(host string, l line) line {
	l.host = host
	return l
}

// failing is l with an error instead.
func failing(l line) line {
	l.addrs, l.records, l.err = "", nil, errServFail
	return l
}

func hints(r happyeyeballs.Record, list string) happyeyeballs.Record {
	for _, addr := range addrs(list) {
		if addr.Is4() {
			r.IPv4Hints = append(r.IPv4Hints, addr)
		} else {
			r.IPv6Hints = append(r.IPv6Hints, addr)
		}
	}
	return r
}

func ech(r happyeyeballs.Record) happyeyeballs.Record {
	r.ECH = []byte("key")
	return r
}

func TestEveryAttemptOfVersion3StartsWhenTheRulesSay(t *testing.T) {
	for _, tt := range contests {
		t.Run(tt.rule+"/"+tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { tt.run(t) })
		})
	}
}

// run races, and again: a race is not to learn from the one before.
func (c contest) run(t *testing.T) {
	for range 2 {
		n := &network{hosts: c.hosts}
		z := &zone{lines: c.lines}
		cfg := happyeyeballs.WithSeed(c.cfg, 1)
		cfg.Resolver, cfg.Service = z, &c.as
		if cfg.Source == nil {
			cfg.Source = dualStack
		}
		port := c.port
		if port == 0 {
			port = 443
		}
		conn, report, err := happyeyeballs.Dial(t.Context(), "host.test", port, n.dialService, &cfg)
		if diff := cmp.Diff(c.want, tried(report)); diff != "" {
			t.Errorf("attempts mismatch (-want +got):\n%s\n%s", diff, report)
		}
		if c.asked != nil {
			assert.ElementsMatch(t, c.asked, z.asked())
		}
		if c.err != "" {
			assert.ErrorContains(t, err, c.err)
			assert.Equal(t, n.opened.Load(), n.closed.Load(), "connections left open")
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, report.Winner().String(), conn.addr)
		assert.Equal(t, int32(1), n.opened.Load()-n.closed.Load(), "connections left open")
	}
}

// dialService is dial, of a transport too.
func (n *network) dialService(ctx context.Context, c happyeyeballs.Candidate, progress func()) (*link, error) {
	return n.dialAs(ctx, c.String(), progress)
}

// tried writes a report as the contests expect it.
func tried(r *happyeyeballs.Report) []string {
	var lines []string
	for _, a := range r.Attempts {
		what := a.Candidate.String()
		if a.ECH != nil {
			what += " ech"
		}
		lines = append(lines, fmt.Sprintf("%v %v %v %v", a.Start, what, a.Outcome, a.End))
	}
	return lines
}
