// Package quic makes QUIC connections (RFC 9000) and accepts them: many
// streams over one UDP socket, encrypted by TLS 1.3, of which a lost packet
// holds up only those that it was part of.
//
// [Dial] returns a [Conn], and [Listen] a [Listener], which accepts them. A
// Conn opens and accepts streams: a [Stream] is a stream.ByteStream, a
// [SendStream] and a [ReceiveStream] are one direction of one, and [Packets]
// carry what need not arrive. [NewStreamListener] makes one listener of the
// streams of all connections. A [Transport] dials and listens on one socket.
// Package tls configures the handshake, and its attributes tell what came of
// it, on the connection and on every stream. The protocol itself is
// github.com/quic-go/quic-go.
//
//	conn, err := quic.Dial(ctx, "example.com:853", &tls.Config{NextProtos: []string{"doq"}}, nil)
//	...
//	s, err := conn.OpenStream(ctx)
//
// A [Connector] is for services that are spoken over QUIC and over TLS on TCP:
// it races both, and its stream tells which it is.
//
// # Cancellation
//
// Every call ends when its context does. A canceled Receive has taken nothing,
// and a canceled Send has taken exactly the bytes that it reports, so that
// either may be tried again: QUIC goes on sending what was taken. A canceled
// OpenStream has opened no stream and used up nothing of the peer's limit, a
// canceled Accept has taken nothing, and a canceled Dial leaves no connection
// behind.
//
// # The end
//
// A stream that ends says so in each direction (FIN), and Receive returns
// io.EOF. Anything else is a stream.BrokenError: with a [*StreamError] if the
// peer gave up one direction, and else with what the connection ended by, an
// [*ApplicationError], [*TransportError], [ErrIdleTimeout] or
// [ErrStatelessReset]. Closing a connection does not wait until what was sent
// on its streams has arrived: the side that receives last closes it, or
// [Conn.Shutdown] gives it the time.
//
// # Ownership
//
// A Conn ends with all its streams, and a Transport with its connections and
// its socket. Dial and Listen make a Transport that ends by itself when
// nothing uses it any more.
//
// # What it is not
//
// There is no HTTP/3 here. Streams have no priorities, and connections no
// paths to choose from; the connection does follow a peer whose address
// changes.
package quic
