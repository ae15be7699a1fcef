package streamtest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// checkTimeout is how long one check may take before it fails. Nothing waits
// for it in a stream that holds the contract.
const checkTimeout = 30 * time.Second

// A CheckOf is one promise that streams make, as a value: its name is the
// promise, and Run makes what it needs with a maker of type M and returns an
// error that says how the promise was broken, or nil. Run bounds itself by
// ctx, also where the stream under test ignores it, closes what it made, and
// may be used by several goroutines at once. It may run in a bubble of
// testing/synctest.
//
// A negative control runs one check against a stream with a known fault and
// wants its error.
type CheckOf[M any] struct {
	Name string
	Run  func(ctx context.Context, m M) error
}

// A Check is a check of byte streams that carry both ways.
type Check = CheckOf[*Maker]

// mustHave panics where a maker lacks what its suite cannot do without.
func mustHave(field string, has bool) {
	if !has {
		panic("streamtest: nil " + field)
	}
}

// runAll runs each check as a subtest, and counts what it left behind.
func runAll[M any](t *testing.T, checks []CheckOf[M], m M, bubble bool) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.Name, func(t *testing.T) {
			if bubble {
				synctest.Test(t, func(t *testing.T) { runOne(t, c, m) })
				return
			}
			runOne(t, c, m)
		})
	}
}

func runOne[M any](t *testing.T, c CheckOf[M], m M) {
	t.Helper()
	before := takeCensus()
	ctx, cancel := context.WithTimeout(t.Context(), checkTimeout)
	defer cancel()
	if err := c.Run(ctx, m); err != nil {
		t.Error(err)
	}
	cancel()
	if err := before.settle(); err != nil {
		t.Error(err)
	}
}
