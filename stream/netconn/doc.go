// Package netconn turns any net.Conn into a stream and any stream into a
// net.Conn, and does the same for listeners.
//
// [Wrap] makes a [Stream] of a net.Conn that somebody else's library made: a
// socket, net.Pipe, a *crypto/tls.Conn, a wrapper around one of these. Every
// call takes a context, and what the wrapped connections know is found by the
// keys of this package and of packages tls and unix. [Stream.Detach] gives the
// net.Conn back.
//
// [From] makes a net.Conn, with deadlines that work, of a stream for libraries
// that want one: net/http, database drivers, SSH. [WrapListener] and
// [FromListener] are the two for listeners.
//
// # Cancellation
//
// A canceled Receive has taken nothing. A canceled Send has sent the n bytes
// that it reports, and can be resumed over sockets and net.Pipe. Over a foreign
// *crypto/tls.Conn it cannot: crypto/tls keeps the error of a write, so the
// stream is broken after it. Package tls has no such limit. Until its
// handshake is done, which the first call does, a *crypto/tls.Conn does not
// survive the cancellation of any call.
//
// # Ownership
//
// Each of the four takes over what it is given: closing the result closes
// it, and using it past the result is an error that nobody detects.
package netconn
