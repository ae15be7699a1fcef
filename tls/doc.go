// Package tls secures any byte stream with TLS 1.2 or 1.3. The protocol is
// the standard library's crypto/tls; this package gives it the manners of a
// stream.
//
// [WrapClient] and [WrapServer] do the handshake over a stream and return a
// [Conn]. [UpgradeClient] and [UpgradeServer] do the same in the middle of a
// plaintext dialogue (STARTTLS), and refuse when plaintext is still unread.
// [NewListener] does handshakes for a listener, which [Route] splits by
// protocol, and [Connector] for a connector. [CertReloader] reads renewed
// certificates. [Config] is crypto/tls's own,
// [Options] are what this package adds. What the handshake settled is read
// as attributes of the Conn: [ALPN], [Version], [PeerCertificates] and so on.
//
//	conn, err := tls.WrapClient(ctx, s, &tls.Config{ServerName: "example.com"}, nil)
//
// # Cancellation
//
// A handshake that is canceled closes the stream. After it every call on a
// Conn ends when its context does, and none of them harms the connection: a
// canceled Receive has taken nothing, wherever in a record it was, and after a
// canceled Send the connection is good for more. Send counts the plaintext that
// was encrypted; what the transport did not take of its records goes first next
// time.
//
// # The end
//
// A peer that ends its direction says so, with close_notify, and Receive
// returns io.EOF. When the transport ends without that, somebody may have cut
// the stream short: Receive returns [stream.ErrBroken] with
// io.ErrUnexpectedEOF as its cause, unless Options.AllowTruncation is set.
// SendEOF sends close_notify, and receiving goes on. Close sends it too, but
// never waits for the peer; Shutdown waits for the peer's.
//
// # Ownership
//
// A Conn owns the stream below: Close closes it, and so does a handshake that
// fails.
//
// # What it is not
//
// Renegotiation is refused. To give a connection to a library that wants a
// *crypto/tls.Conn, as net/http does for HTTP/2, use [Conn.Std].
package tls
