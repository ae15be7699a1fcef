// Package udp sends and receives UDP packets.
//
// [Listen] returns a [Conn] that receives from everybody, [Dial] one that
// exchanges packets with a single peer; both are packet streams. A [Packet] is
// its bytes and where they come from or go to. Nothing is lost on the way here
// silently: a packet that does not fit is a [*TruncatedError] that tells its
// length, one without bytes is a packet as well, and an ICMP error on a
// connected socket is returned once by the next call, after which the socket
// goes on.
//
// [Conn.ReceiveInto] and [Conn.Send] allocate nothing. [Conn.ReceiveBatch] and
// [Conn.SendBatch] move many packets in one system call, on Linux by
// segmentation offload (GSO, GRO) where the kernel has that.
//
// # Cancellation
//
// A canceled Receive has taken no packet, and a canceled Send has sent none.
// A canceled SendBatch tells how many it has sent.
package udp
