package quic

import (
	"net"
	"sync"

	"golang.org/x/net/ipv4"
)

// A firstConn is a socket that tells of the first packet that comes, on either
// of the ways by which quic-go receives. Events of quic-go (qlog) would tell as
// much, and cost a connection a third of what it can carry for as long as it
// lives.
type firstConn struct {
	*net.UDPConn
	batch *ipv4.PacketConn
	tell  func() // does something once
}

func newFirstConn(conn *net.UDPConn, tell func()) *firstConn {
	return &firstConn{UDPConn: conn, batch: ipv4.NewPacketConn(conn), tell: sync.OnceFunc(tell)}
}

// ReadBatch is how quic-go receives where the system can do that, of either
// family.
func (c *firstConn) ReadBatch(ms []ipv4.Message, flags int) (int, error) {
	n, err := c.batch.ReadBatch(ms, flags)
	if n > 0 {
		c.tell()
	}
	return n, err
}

// ReadFrom is how it receives elsewhere.
func (c *firstConn) ReadFrom(p []byte) (int, net.Addr, error) {
	n, addr, err := c.UDPConn.ReadFrom(p)
	if err == nil {
		c.tell()
	}
	return n, addr, err
}
