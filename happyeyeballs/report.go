package happyeyeballs

import (
	"fmt"
	"strings"
	"time"

	"github.com/strata-go/strata/attr"
)

// Race is the report of the race that a connection came out of. Connections
// that were dialed by address have none, as there was nothing to race. Fixed.
var Race = attr.New[*Report]("happyeyeballs.race")

// A Report tells how a race went. Times are counted from its start. It is not
// changed after [Dial] has returned it.
type Report struct {
	Host     string
	Start    time.Time
	Answers  []Lookup  // as they came
	Attempts []Attempt // in the order in which they were started
}

// A Lookup is an [Answer] and when it came.
type Lookup struct {
	Answer
	Host string // what the answer is about, without a final dot: the host or what its records lead to
	At   time.Duration
}

// An Attempt is one address that was tried.
type Attempt struct {
	Candidate
	Start   time.Duration
	End     time.Duration // zero while it runs
	Outcome Outcome
	Err     error // why it did not succeed; nil if it did
}

// Winner returns the attempt that succeeded first, and nil if none did.
func (r *Report) Winner() *Attempt {
	for i := range r.Attempts {
		if r.Attempts[i].Outcome == Won {
			return &r.Attempts[i]
		}
	}
	return nil
}

// String is a line for each answer and each attempt, for people.
func (r *Report) String() string {
	var b strings.Builder
	for _, l := range r.Answers {
		fmt.Fprintf(&b, "%s: %s", l.At, l.what(r.Host))
		writeError(&b, l.Err)
	}
	for _, a := range r.Attempts {
		fmt.Fprintf(&b, "%s to %s: %s %s", a.Start, a.End, a.detail(), a.Outcome)
		writeError(&b, a.Err)
	}
	return b.String()
}

// what says what l is about, and what it tells.
func (l Lookup) what(host string) string {
	about := ""
	if l.Host != trimmed(host) {
		about = " of " + l.Host
	}
	if l.Family == 0 {
		return fmt.Sprintf("records%s %v", about, l.Records)
	}
	return fmt.Sprintf("%s%s %v", l.Family, about, l.Addrs)
}

func writeError(b *strings.Builder, err error) {
	if err != nil {
		fmt.Fprintf(b, ": %v", err)
	}
	b.WriteByte('\n')
}

// An Outcome is how an attempt ended.
type Outcome string

// The outcomes of attempts.
const (
	Running  Outcome = "running"  // not yet
	Won      Outcome = "won"      // it succeeded first
	Failed   Outcome = "failed"   // it did not succeed while that mattered
	Canceled Outcome = "canceled" // it was cut short, by a winner or by the caller
	Late     Outcome = "late"     // it succeeded when that did not matter any more, and was closed
)

// An Event is a step of a race, as Config.Trace sees it.
type Event struct {
	Kind    EventKind
	At      time.Duration // since the start of the race
	Answer  Answer        // of an Answered
	Attempt Attempt       // of a Started, Progressed or Ended
}

// An EventKind tells what happened.
type EventKind string

// The kinds of events.
const (
	Answered   EventKind = "answered"   // the resolver told something
	Started    EventKind = "started"    // an attempt began
	Progressed EventKind = "progressed" // an attempt told that it gets on
	Ended      EventKind = "ended"      // an attempt ended
)
