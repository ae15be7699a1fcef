package testnet

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// A Switch is a network in memory, of sockets that send packets to each other.
// It waits on channels only, and so runs in the fake time of testing/synctest.
// The zero Switch is ready to use and has no faults.
type Switch struct {
	network

	sockets map[uint16]*Socket // by the port that others see; guarded by mu, like picked
	picked  uint16             // the last port that Listen chose itself
}

// lowestPick is the first port that a Switch chooses.
const lowestPick = 1 << 15

// Listen opens a socket at 127.0.0.1. With port 0 it has one that nobody had
// before; any other can be opened again when its socket is closed.
func (s *Switch) Listen(port uint16) (*Socket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if port == 0 {
		port = s.pick()
	}
	if s.sockets[port] != nil {
		return nil, &net.OpError{Op: "listen", Net: "memory", Addr: address(port), Err: syscall.EADDRINUSE}
	}
	c := &Socket{on: s, local: port, paths: map[uint16]*path{}}
	s.connect(c, port)
	return c, nil
}

// pick chooses a port. The caller has the lock, as of connect.
func (s *Switch) pick() uint16 {
	s.picked = max(s.picked+1, lowestPick)
	return s.picked
}

func (s *Switch) connect(c *Socket, port uint16) {
	if s.sockets == nil {
		s.sockets = map[uint16]*Socket{}
	}
	c.seen, s.sockets[port] = port, c
}

// A Socket is a net.PacketConn on a Switch. A write never waits; the packet is
// lost if nobody has the port that it is for.
type Socket struct {
	on    *Switch
	in    queue
	local uint16

	// Guarded by on.mu.
	seen     uint16 // the port that others see; 0 once closed
	paths    map[uint16]*path
	deadline time.Time // of writes
}

var _ net.PacketConn = (*Socket)(nil)

// ReadFrom waits for a packet, and cuts off what p has no room for.
func (c *Socket) ReadFrom(p []byte) (int, net.Addr, error) {
	got, err := c.in.pop()
	if err != nil {
		return 0, nil, c.failed("read", err)
	}
	return copy(p, got.data), net.UDPAddrFromAddrPort(got.from), nil
}

// WriteTo sends p to a socket, whose address is a *net.UDPAddr.
func (c *Socket) WriteTo(p []byte, addr net.Addr) (int, error) {
	to, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, c.failed("write", syscall.EAFNOSUPPORT)
	}
	c.on.mu.Lock()
	defer c.on.mu.Unlock()
	switch {
	case c.seen == 0:
		return 0, c.failed("write", net.ErrClosed)
	case !c.deadline.IsZero() && !c.deadline.After(time.Now()):
		return 0, c.failed("write", os.ErrDeadlineExceeded)
	}
	port := to.AddrPort().Port()
	if peer := c.on.sockets[port]; peer != nil {
		c.on.send(c.path(port), packet{data: bytes.Clone(p), from: address(c.seen).AddrPort()}, &peer.in)
	}
	return len(p), nil
}

// path returns the way to a port.
func (c *Socket) path(port uint16) *path {
	if c.paths[port] == nil {
		c.paths[port] = &path{direction: uint64(c.local)<<16 | uint64(port)}
	}
	return c.paths[port]
}

// Rebind has the packets of c come from another port from now on, and loses
// those to the one before, like a NAT that forgot about c.
func (c *Socket) Rebind() {
	c.on.mu.Lock()
	defer c.on.mu.Unlock()
	if c.seen != 0 {
		delete(c.on.sockets, c.seen)
		c.on.connect(c, c.on.pick())
	}
}

// Close closes the socket. What is on its way to it is lost.
func (c *Socket) Close() error {
	c.on.mu.Lock()
	defer c.on.mu.Unlock()
	if c.seen == 0 {
		return c.failed("close", net.ErrClosed)
	}
	delete(c.on.sockets, c.seen)
	c.seen = 0
	c.in.close()
	return nil
}

// LocalAddr is the address that c was opened with, as a *net.UDPAddr.
func (c *Socket) LocalAddr() net.Addr { return address(c.local) }

// SetDeadline sets both deadlines.
func (c *Socket) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t) // has no error
	return c.SetWriteDeadline(t)
}

// SetReadDeadline sets the time from which reads fail. It wakes those that wait.
func (c *Socket) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(t)
	return nil
}

// SetWriteDeadline sets the time from which writes fail.
func (c *Socket) SetWriteDeadline(t time.Time) error {
	c.on.mu.Lock()
	defer c.on.mu.Unlock()
	c.deadline = t
	return nil
}

// SetReadBuffer is for quic-go, which complains about sockets that lack it. In
// memory there is room for all packets.
func (c *Socket) SetReadBuffer(int) error { return nil }

// SetWriteBuffer is for quic-go too.
func (c *Socket) SetWriteBuffer(int) error { return nil }

func (c *Socket) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: "memory", Source: c.LocalAddr(), Err: err}
}

func address(port uint16) *net.UDPAddr {
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port))
}
