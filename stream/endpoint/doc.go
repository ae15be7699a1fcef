// Package endpoint turns what stands in a configuration file or a flag into
// connectors and listeners:
//
//	tcp://example.com:80       a port of a host
//	tcp://[fe80::1%eth0]:smtp  an address with a zone, the port by its name
//	tcp://:80                  to listen at all addresses
//	unix:/run/app.sock         a Unix stream socket; also unix:///run/app.sock
//	unix:@app                  one with an abstract name, on Linux
//	tls+tcp://example.com:443  TLS over the one
//	tls+unix:/run/app.sock     TLS over the other
//
// [NewConnector] makes a stream.Connector of such a URI, and [Listen] listens
// at one. A DialConfig and a ListenConfig say what a URI does not: certificates
// above all.
//
// # Spelling
//
// Bytes of a host or a path that mean something else in a URI are written as
// %XX, and any others may be: a "?" in a path is %3F, a "%" is %25. A URI that
// says what nothing here understands (a user, a query, a fragment, a path
// behind a port) is refused with a [*URIError], not half understood.
//
// # Schemes
//
// What else there is, a program adds for itself in the Schemes of its
// configuration; nothing is registered anywhere. TLS goes over those as well:
// with a scheme "quic" or "memory" there, there is "tls+memory".
//
// Everything here is a byte stream. What carries packets has connectors in its
// own package: udp.Connector, unix.PacketConnector and, for packets in order,
// unix.SeqpacketConnector.
//
// # TLS
//
// The scheme alone decides whether there is TLS. A configuration for it is
// not used by endpoints without, and an endpoint that asks for it never goes
// without, whatever is below.
package endpoint
