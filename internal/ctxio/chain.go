package ctxio

import "net"

// Below returns the net.Conn that conn says it wraps, or nil. The standard
// library's name for that is NetConn; the others are those of widely used
// websocket and PROXY protocol packages.
func Below(conn net.Conn) net.Conn {
	switch w := conn.(type) {
	case interface{ NetConn() net.Conn }:
		return w.NetConn()
	case interface{ UnderlyingConn() net.Conn }:
		return w.UnderlyingConn()
	case interface{ Raw() net.Conn }:
		return w.Raw()
	}
	return nil
}

// maxDepth ends the search in chains that are circles.
const maxDepth = 32

// Chain returns conn and what it wraps, the outermost first.
func Chain(conn net.Conn) []net.Conn {
	var chain []net.Conn
	for ; conn != nil && len(chain) < maxDepth; conn = Below(conn) {
		chain = append(chain, conn)
	}
	return chain
}

// ResetOnClose makes the Close of conn, or of the TCP connection that it
// wraps, reset the connection.
func ResetOnClose(conn net.Conn) {
	for _, c := range Chain(conn) {
		if l, ok := c.(interface{ SetLinger(sec int) error }); ok {
			_ = l.SetLinger(0) // fails only if it is closed already
			return
		}
	}
}
