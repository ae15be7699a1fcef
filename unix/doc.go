// Package unix makes the three kinds of Unix domain sockets into streams.
//
// [Dial] returns a [Conn], a stream.ByteStream that can also pass open files,
// and [Listen] a [Listener], which accepts them. [DialSeqpacket] and
// [ListenSeqpacket] do the same for a [SeqpacketConn], which keeps the
// boundaries of what is sent. [ListenPacket] and [DialPacket] return a
// [PacketConn], which sends and receives single packets. A [Connector], a
// [SeqpacketConnector] and a [PacketConnector] dial the same name each time.
//
// # Names
//
// A name is a path: bytes of any kind but NUL, at most 107 of them on Linux
// and 103 elsewhere. On Linux a name that begins with a NUL or, as is usual to
// write it, with "@", is abstract: it is in no file system, and it is gone
// with its socket. The path of a file that is called "@x" is "./@x". An empty
// name given to a Listen function stands for an abstract one that the kernel
// chooses (autobind).
//
// # Files
//
// A socket that listens at a path has a file there, which Close removes; but
// not if another file is there by then. It is made without any permission
// when ListenConfig has a mode or an owner, so that nobody can connect before
// those are set. One that a server left when it died is removed only where
// ListenConfig says so, and only after asking whether a socket is still bound
// to it.
//
// # Cancellation
//
// A canceled Receive has taken nothing and a canceled Send has sent exactly
// what it reports, so that either may be tried again. A canceled Accept has
// taken no connection, and a canceled Dial leaves none behind.
package unix
