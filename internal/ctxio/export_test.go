package ctxio

import "net"

// SlowCallbacks holds callbacks up, until the returned function is called, so
// that more of them come late.
func SlowCallbacks() (restore func()) { return plant(slowCallbacks) }

// PlantFaults brings back the two faults that the engine is built against,
// until the returned function is called: late callbacks that set a deadline,
// and timeouts that reach callers whose context is not done.
func PlantFaults() (restore func()) { return plant(anyGeneration | noRetry) }

// NoRetry brings back the second of them alone.
func NoRetry() (restore func()) { return plant(noRetry) }

func plant(f uint32) func() {
	faults.Or(f)
	return func() { faults.And(^f) }
}

// FireLate calls the callback of the Receive that armed last, as if the
// scheduler had held it up until now.
func (c *Conn) FireLate() { c.rx.fire(c.rx.gen - 1) }

// Standing tells whether a Receive left its arming standing.
func (c *Conn) Standing() bool { return c.rx.standing != nil && c.rx.standing != unclean }

// NewSentry returns how to wait for connections of ln, and how to end that.
func NewSentry(ln net.Listener) (wait, end func() error, err error) {
	s, err := newSentry(ln)
	return s.wait, s.close, err
}
