// Package starttls turns plaintext connections into TLS ones the way each
// protocol agrees on it.
//
// Each protocol is a struct. Its Client method takes a connection on which nothing
// was said yet, has the dialogue, and does the handshake: [SMTP], [LMTP], [IMAP],
// [POP3], [PostgreSQL], [LDAP], [XMPP], [FTP], [NNTP], [ManageSieve], [IRC] and
// [MySQL]. The first five have a Server method, which does the same from the other
// end and drops into a handler of listener.Serve. Both return a [buffered.Stream],
// whatever happened:
//
//	s, err := starttls.SMTP{Name: "client.example", TLS: cfg}.Client(ctx, conn)
//
// The [Policy] says what to do when the peer does not do TLS: the zero Policy,
// Required, makes that an error, an [*UnavailableError]. With Opportunistic the
// stream stays in plaintext, and [Plaintext] is the same error as an attribute
// of it, absent when the stream is under TLS. A handshake that fails is an error
// under either policy, as is a peer that answers what no server answers.
// Verification of certificates is a matter of the tls.Config alone.
//
// # What is safe by construction
//
// No byte that came in plaintext is ever taken for one that came under TLS: an
// upgrade with anything unread is refused (tls.ErrPlaintextBuffered), and what
// the peer said of itself before is forgotten and asked for again; only MySQL has
// no way to ask, see [Greeting]. Under Required nothing but the dialogue itself
// goes out in plaintext, no credentials and no next command. Lines, their number
// and the time that all of it may take are bounded, see [Limits]. Names that are
// put into commands may not contain what would end the command.
//
// # Cancellation
//
// A canceled negotiation closes the connection. The context covers the call only.
//
// # Ownership
//
// Client and Server take over the connection: closing the stream that they return
// closes it, and so does an error. The structs are not written to and may be used by
// any number of goroutines; their tls.Config must not be modified meanwhile.
package starttls
