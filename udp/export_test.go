//go:build linux

package udp

// WithoutOffload makes sockets do without GSO and GRO, until the returned
// function is called.
func WithoutOffload() (restore func()) {
	noGSO, noGRO = true, true
	return func() { noGSO, noGRO = false, false }
}

// RefuseGSO makes sending with GSO fail with EIO, as some devices do.
func RefuseGSO() (restore func()) {
	refuseGSO = true
	return func() { refuseGSO = false }
}

// GSO tells whether the last SendBatch used GSO.
func (c *Conn) GSO() bool { return c.tx.many.gso }

// GRO tells whether packets are joined.
func (c *Conn) GRO() bool { return c.rx.joined.on }
