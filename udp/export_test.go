//go:build linux

package udp

import "net/netip"

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

// Control is what stands beside a packet.
type Control struct {
	Local     netip.Addr
	Interface int
	TOS       uint8
	Segment   int
}

// ParseControl parses control messages.
func ParseControl(b []byte) Control {
	c := parse(b)
	return Control{c.local, c.ifindex, c.tos, c.segment}
}

// AppendControl appends the control messages for a packet, of IPv4 if four.
func AppendControl(b []byte, c Control, four bool) []byte {
	var m message
	out := control{local: c.Local, ifindex: c.Interface, tos: c.TOS, segment: c.Segment}
	return append(b, m.control[:out.write(m.control[:], four, four)]...)
}

// TakeApart returns the packets that data is.
func TakeApart(data []byte, segment int) (packets [][]byte) {
	j := joined{buf: data}
	for j.hold(len(data), segment); j.pending; {
		var p Packet
		j.take(&p, true)
		packets = append(packets, p.Data)
	}
	return packets
}
