// Package tcp makes TCP connections and accepts them.
//
// [Dial] returns a [Conn], a stream.ByteStream, and [Listen] a [Listener],
// which accepts them, on every address of a name. [Wrap] and [WrapListener]
// take over sockets that package net made, [FromFile], [FromFD] and their likes
// for listeners those that come as descriptors. [Options] are those of a
// connection, whichever side made it. What is known about a socket is in its
// attributes:
//
//	conn, err := tcp.Dial(ctx, "localhost:25", nil)
//	...
//	addr, err := tcp.RemoteAddrPort.Get(conn)
//	info, err := tcp.Info.Get(conn) // round-trip times, congestion window...
//
// TCP_NODELAY is on, and so are keep-alive probes, unless Options say
// otherwise.
//
// # Cancellation
//
// A canceled Receive has taken no bytes and a canceled Send has sent exactly
// those that it reports, so that either may be tried again. A canceled Accept
// has taken no connection, and a canceled Dial leaves none behind.
package tcp
