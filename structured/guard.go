package structured

import "sync/atomic"

// A Guard lets one caller in at a time and turns every other away at once
// with [ErrBusy], instead of making it wait as a mutex would. It belongs
// where two callers at the same time are a mistake worth reporting, as on
// one direction of a stream.
//
// The zero Guard is ready to use. It is not tied to a goroutine: any may
// leave for the one that entered. A Guard must not be copied after first use.
type Guard struct {
	entered atomic.Bool
}

// Enter lets the caller in, or returns [ErrBusy] when somebody is inside. A
// caller that got nil must call [Guard.Leave] once.
func (g *Guard) Enter() error {
	if !g.entered.CompareAndSwap(false, true) {
		return ErrBusy
	}
	return nil
}

// Leave lets the next caller in. It panics when nobody is inside, since then
// some other caller's exclusion has been given away.
func (g *Guard) Leave() {
	if !g.entered.CompareAndSwap(true, false) {
		panic("structured: Guard.Leave without Enter: call Leave once for each Enter that returned nil")
	}
}

// GuardStatistics is a snapshot of a [Guard].
type GuardStatistics struct {
	Entered bool // somebody is inside
}

// Statistics returns a snapshot.
func (g *Guard) Statistics() GuardStatistics {
	return GuardStatistics{Entered: g.entered.Load()}
}
