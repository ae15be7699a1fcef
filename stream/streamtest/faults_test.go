package streamtest_test

import (
	"context"
	"os"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

// byteFaults says for each fault of the reference pipe by which checks it has
// to be found. Others may find it too.
var byteFaults = []struct {
	fault  fault
	checks []string
}{
	{"changes a byte", []string{"What is sent arrives", "1 MiB each way at once", "Ping pong",
		"A storm survives Close", "A storm survives Shutdown", "A storm survives Abort"}},
	{"sends nothing as a byte", []string{"A Send of nothing has no effect"}},
	{"overruns the buffer", []string{"Receive keeps to its buffer"}},
	{"returns 0 and nil", []string{"Receive keeps to its buffer", "Random pieces arrive whole"}},
	{"changes what is sent", []string{"Send leaves the buffer to its caller"}},
	{"end before data", []string{"Data comes before the end"}},
	{"end only once", []string{"The end stays"}},
	{"no end where nothing was sent", []string{"The end arrives where nothing was sent"}},
	{"data wakes nobody", []string{"A Receive that waits meets the data"}},
	{"the end wakes nobody", []string{"A Receive that waits meets the end", "Close wakes WaitReceive"}},
	{"loses what is large", []string{"A large Send arrives whole"}},
	{"drops a byte now and then", []string{"Random pieces arrive whole", "A storm both ways loses nothing"}},
	{"takes an empty buffer", []string{"An empty buffer is ErrEmptyBuffer in any state"}},
	{"busy before arguments", []string{"An empty buffer is ErrEmptyBuffer while another waits"}},
	{"does not look at the context first", []string{"A done context comes first in Receive", "A done context comes first in Send"}},
	{"forgets the cause", []string{"A done context comes first in Receive", "Shutdown with a done context closes"}},
	{"does not tell timeouts", []string{"A done context comes first in Receive", "A done context comes first in Send"}},
	{"busy before the context", []string{"A done context comes before busy", "A done context comes before busy in Send"}},
	{"leftovers after Close", []string{"Closed comes before data and before the end"}},
	{"the end after Close", []string{"Everything is net.ErrClosed after Close"}},
	{"drops a byte on cancel", []string{"A canceled Receive took nothing", "A canceled WaitReceive took nothing", "A storm of cancels loses nothing"}},
	{"writes into a buffer that is not lent", []string{"A canceled Receive no longer uses its buffer"}},
	{"waits whatever the context", []string{"A deadline ends Receive", "A deadline ends Send", "Shutdown can be canceled"}},
	{"reports less than it took", []string{"A canceled Send tells what it took", "A storm of cancels loses nothing"}},
	{"finishes a canceled Send later", []string{"A canceled Send no longer uses its buffer"}},
	{"a late cancel poisons", []string{"A late cancel of Receive does not reach the next", "A late cancel of Send does not reach the next"}},
	{"Close reports cancellations", []string{"Close works after cancellations"}},
	{"lets everybody in", []string{"A second Receive is turned away", "Receive is turned away while WaitReceive waits", "A second Send is turned away"}},
	{"busy for good after a cancel", []string{"A direction is free again after a cancel"}},
	{"Close does not wake Receive", []string{"Close wakes Receive", "Close wakes WaitReceive", "Abort wakes everything"}},
	{"Close does not wake Send", []string{"Close wakes Send", "Shutdown during a Send closes"}},
	{"a second Close is an error", []string{"Close may be repeated", "Close may be called by many"}},
	{"Close waits for the peer", []string{"Close does not wait for the peer"}},
	{"Close discards", []string{"What was sent before Close arrives"}},
	{"Close invents bytes", []string{"A Send that Close ended invents nothing"}},
	{"another failure each time", []string{"A peer that closed breaks Send for good", "Abort wakes the peer's Receive"}},
	{notBroken, []string{"A peer that closed breaks Send for good", "A peer that closes wakes Send"}},
	{"WaitReceive takes", []string{"WaitReceive takes nothing"}},
	{noWaitReceive, []string{"WaitReceive takes nothing"}},
	{"SendBuffers out of order", []string{"SendBuffers sends in order"}},
	{"SendBuffers does not count", []string{"A canceled SendBuffers tells what it took"}},
	{"TrySend waits", []string{"TrySend does not wait"}},
	{"one direction at a time", []string{"A Receive that waits does not hinder Send", "A Send that waits does not hinder Receive"}},
	{"a canceled Receive cancels Send", []string{"A canceled Receive does not hinder Send"}},
	{"sends though it is busy", []string{"A second Send is turned away", "Any method may be called by many"}},
	{"Close breaks the peer", []string{"The peer's Close is the end"}},
	{"SendEOF closes", []string{"SendEOF ends one direction only", "Both directions end in turn"}},
	{"SendEOF ends Receive", []string{"SendEOF does not disturb a Receive"}},
	{noHalfClose, []string{"SendEOF ends one direction only"}},
	{"SendEOF discards", []string{"SendEOF keeps what was sent before", "Shutdown ends in order and closes"}},
	{"SendEOF only once", []string{"SendEOF may be repeated"}},
	{"Send after SendEOF", []string{"Send after SendEOF is net.ErrClosed"}},
	{"SendEOF is never turned away", []string{"SendEOF during a Send is turned away"}},
	{"a canceled SendEOF counts", []string{"A canceled SendEOF can be finished"}},
	{"SendEOF after Close", []string{"SendEOF after Close is net.ErrClosed"}},
	{"SendEOF waits whatever happens", []string{"Close wakes SendEOF"}},
	{"broken before closed", []string{"Closed comes before everything but the context"}},
	{"broken before the own end", []string{"The own end comes before a failure in Send"}},
	{"broken before data", []string{"Data comes before a failure"}},
	{"a failure for each direction", []string{"A failure is one for both directions"}},
	{"end after a failed Send", []string{"A Send that fails breaks Receive"}},
	{"Abort leaves this side open", []string{"Abort is an end for this side"}},
	{noAbort, []string{"Abort wakes the peer's Receive", "A failure is one for both directions"}},
	{"a failure does not wake Send", []string{"Abort wakes the peer's Send"}},
	{"forgets an attribute", []string{"Attributes answer, also after Close"}},
	{"changes an attribute", []string{"Attributes answer, also after Close"}},
	{"makes a set each time", []string{"Attributes answer, also after Close"}},
}

func TestEveryByteStreamFaultIsFound(t *testing.T) {
	checks := byName(streamtest.ByteStreamChecks())
	for _, row := range byteFaults {
		for _, name := range row.checks {
			t.Run(string(row.fault)+"/"+name, func(t *testing.T) {
				require.Contains(t, checks, name)
				assert.Error(t, tryFault(t, checks[name], row.fault))
			})
		}
	}
}

func TestEveryByteStreamCheckFindsAFault(t *testing.T) {
	var found []string
	for _, row := range byteFaults {
		found = append(found, row.checks...)
	}
	for _, c := range streamtest.ByteStreamChecks() {
		assert.Contains(t, found, c.Name)
	}
}

// tryFault runs one check, in a bubble so that it takes no time when calls
// hang, against pipes with one fault.
func tryFault(t *testing.T, c streamtest.Check, f fault) (err error) {
	synctest.Test(t, func(t *testing.T) {
		var pipes pipes
		defer pipes.kill()
		err = runCheck(t, c, &streamtest.Maker{Pipe: pipes.maker(4<<10, f), Holds: 4 << 10, Bubble: true, Operations: 4000})
	})
	return err
}

// The suites of one direction run the same checks on other makers, so they have
// to find the same faults; but for those that need what the other direction
// does.
func TestEveryFaultIsFoundInOneDirection(t *testing.T) {
	suites := []struct {
		name   string
		checks []streamtest.CheckOf[*streamtest.OneWayMaker]
		size   int
		like   []fault
	}{
		{"one way", streamtest.OneWayChecks(), 4 << 10, nil},
		{"stored", streamtest.StoredChecks(), 1 << 30, []fault{keeps}},
	}
	for _, suite := range suites {
		checks := byName(suite.checks)
		found := make(map[string]bool)
		for _, row := range byteFaults {
			for _, name := range row.checks {
				c, ok := checks[name]
				if !ok {
					continue
				}
				t.Run(suite.name+"/"+string(row.fault)+"/"+name, func(t *testing.T) {
					err := tryOneWayFault(t, c, suite.size, append(suite.like, row.fault)...)
					assert.Error(t, err)
					found[name] = true
				})
			}
		}
		for name := range checks {
			assert.True(t, found[name], "no fault is to be found by %q, %s", name, suite.name)
		}
	}
}

func tryOneWayFault(t *testing.T, c streamtest.CheckOf[*streamtest.OneWayMaker], size int, faults ...fault) (err error) {
	synctest.Test(t, func(t *testing.T) {
		var pipes pipes
		defer pipes.kill()
		pipe := pipes.maker(size, faults...)
		m := &streamtest.OneWayMaker{Holds: min(size, 4<<10), Bubble: true, Operations: 4000}
		m.Pipe = func(ctx context.Context) (stream.ByteSender, stream.ByteReceiver, error) { return pipe(ctx) }
		err = runCheck(t, c, m)
	})
	return err
}

// runCheck runs one check as a suite does.
func runCheck[M any](t *testing.T, c streamtest.CheckOf[M], m M) error {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return c.Run(ctx, m)
}

func byName[M any](checks []streamtest.CheckOf[M]) map[string]streamtest.CheckOf[M] {
	named := make(map[string]streamtest.CheckOf[M])
	for _, c := range checks {
		named[c.Name] = c
	}
	return named
}

// pipes are all that a maker made.
type pipes struct{ made []*end }

func (ps *pipes) maker(size int, faults ...fault) func(context.Context) (a, b stream.ByteStream, err error) {
	return func(context.Context) (stream.ByteStream, stream.ByteStream, error) {
		a, b := newPipe(size, faults...)
		ps.made = append(ps.made, a)
		return a, b, nil
	}
}

func (ps *pipes) kill() {
	for _, e := range ps.made {
		e.kill()
	}
}

// A flag of a maker has to be wanted: a stream that can do what the flag
// says it cannot is a mistake of the maker or of the stream.
func TestFlagsAreHeld(t *testing.T) {
	tests := []struct {
		name   string
		maker  streamtest.Maker
		checks []string
	}{
		{"NoHalfClose", streamtest.Maker{NoHalfClose: true}, []string{"SendEOF ends one direction only", "SendEOF may be repeated"}},
		{"NoWaitReceive", streamtest.Maker{NoWaitReceive: true}, []string{"WaitReceive takes nothing", "Close wakes WaitReceive"}},
		{"CancelBreaksSend", streamtest.Maker{CancelBreaksSend: true}, []string{"A canceled Send tells what it took"}},
		{"PerDirection", streamtest.Maker{PerDirection: true}, []string{"A Send that fails breaks Receive"}},
	}
	checks := byName(streamtest.ByteStreamChecks())
	for _, tt := range tests {
		for _, name := range tt.checks {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var pipes pipes
					defer pipes.kill()
					m := tt.maker
					m.Pipe, m.Bubble = pipes.maker(4<<10), true
					assert.Error(t, runCheck(t, checks[name], &m))
				})
			})
		}
	}
}

// What a stream cannot do is tested in the form that the flag names.
func TestStreamsThatCannotDoEverythingHoldTheContract(t *testing.T) {
	tests := []struct {
		name   string
		maker  streamtest.Maker
		faults []fault
	}{
		{"no half-close", streamtest.Maker{NoHalfClose: true}, []fault{noHalfClose}},
		{"no abort", streamtest.Maker{NoAbort: true}, []fault{noAbort}},
		{"no WaitReceive", streamtest.Maker{NoWaitReceive: true}, []fault{noWaitReceive}},
		{"cancel breaks Send", streamtest.Maker{CancelBreaksSend: true}, []fault{cancelBreaks}},
		{"encodes", streamtest.Maker{Encodes: true}, []fault{encodes}},
		{"per direction", streamtest.Maker{PerDirection: true},
			[]fault{perDirection, "broken before data"}},
		{"shared attribute", streamtest.Maker{Shared: []string{pipeName.Name()}}, []fault{"changes an attribute"}},
		{"nothing of all this", streamtest.Maker{NoHalfClose: true, NoAbort: true, NoWaitReceive: true, CancelBreaksSend: true},
			[]fault{noHalfClose, noAbort, noWaitReceive, cancelBreaks}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := tt.maker
			m.Bubble, m.Holds = true, 80<<10 // with what an encoding pipe holds back
			m.Pipe = new(pipes).maker(64<<10, tt.faults...)
			streamtest.TestByteStream(t, &m)
		})
	}
}

func TestWhatIsLeftBehindIsFound(t *testing.T) {
	check := byName(streamtest.ByteStreamChecks())["What is sent arrives"]
	tests := []struct {
		fault fault
		want  string
	}{
		{"leaks a goroutine", "goroutines left behind"},
		{"leaks a descriptor", "descriptors left behind"},
	}
	for _, tt := range tests {
		t.Run(string(tt.fault), func(t *testing.T) {
			if _, err := os.Stat("/proc/self/fd"); err != nil && tt.fault == "leaks a descriptor" {
				t.Skip("this system does not list descriptors")
			}
			synctest.Test(t, func(t *testing.T) {
				settle := streamtest.TakeCensus()
				var pipes pipes
				m := &streamtest.Maker{Pipe: pipes.maker(4<<10, tt.fault), Bubble: true}
				require.NoError(t, runCheck(t, check, m))
				assert.ErrorContains(t, settle(), tt.want)
				pipes.kill()
				assert.NoError(t, settle(), "after what leaked was given back")
			})
		})
	}
}

var hasFault = regexp.MustCompile(`has\("([^"]+)"\)`)

// No fault of the reference pipe may be forgotten.
func TestEveryFaultOfThePipeIsInATable(t *testing.T) {
	source, err := os.ReadFile("pipe_test.go")
	require.NoError(t, err)
	known := []string{"leaks a goroutine", "leaks a descriptor"}
	for _, row := range byteFaults {
		known = append(known, string(row.fault))
	}
	for _, m := range hasFault.FindAllSubmatch(source, -1) {
		assert.True(t, slices.Contains(known, string(m[1])), "the fault %q is in no table", m[1])
	}
}
