// Package proxyproto passes the client's address through proxies, as the
// PROXY protocol of HAProxy does it, versions 1 and 2
// (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
//
// A proxy begins each connection to the server behind it with a [Header] that
// tells whom it was opened for. [NewListener] takes the headers of accepted
// connections and puts what they say over what the socket says, so that
//
//	addr, err := tcp.RemoteAddrPort.Get(conn)
//
// is the client's address, and tcp.RemoteAddrPort.All yields it and then the
// proxy's. [WrapServer] does it for one stream. In the other direction [Send]
// sends a header, [Of] makes the one that passes a client on, and a
// [Connector] begins every connection with one.
//
// # Trust
//
// Whoever may send a header may claim any address. So nobody is trusted
// unless Config.Trust says so, and those who are must send one: whether there
// is a header is never guessed from the bytes (section 2 of the protocol).
//
// # Attributes
//
// The header overrides the local and remote addresses, unless it has none: a
// proxy's own connections, such as health checks, and those of unknown origin
// keep those of the socket. Everything else, such as credentials and TCP_INFO,
// is still about the connection with the proxy, and so are the keys of package
// tls: what the client and the proxy spoke is in [TLS], [ALPN] and [Authority].
//
// # Cancellation
//
// A canceled WrapServer or Send leaves the stream closed: nobody could tell
// how much of a header is gone.
package proxyproto
