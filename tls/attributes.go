package tls

import (
	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/tlsattr"
	"github.com/strata-go/strata/stream"
)

// The attributes of a session. All of them are fixed when the handshake is
// done, and answer after Close. What was not negotiated is absent. They answer
// for every TLS layer, also for a *crypto/tls.Conn below a netconn.
var (
	// State is all of it in crypto/tls's form. It is secret: keys can be
	// derived from it.
	State = tlsattr.State

	// Version is the protocol version, which compares with [VersionTLS13] and
	// prints as "TLS 1.3".
	Version = tlsattr.Version

	// CipherSuite is the cipher suite, as crypto/tls numbers them. It prints
	// as its name.
	CipherSuite = tlsattr.CipherSuite

	// CurveID is the key exchange mechanism, absent with RSA key exchange.
	CurveID = tlsattr.CurveID

	// ALPN is the application protocol that both sides agreed on (RFC 7301).
	ALPN = tlsattr.ALPN

	// ServerName is the name that the client asked for (SNI, RFC 6066 section
	// 3).
	ServerName = tlsattr.ServerName

	// PeerCertificate is the peer's own certificate.
	PeerCertificate = tlsattr.PeerCertificate

	// PeerCertificates are those that the peer sent, its own first.
	PeerCertificates = tlsattr.PeerCertificates

	// VerifiedChains are the ways from the peer's certificate to a trusted
	// root, absent when nothing was verified.
	VerifiedChains = tlsattr.VerifiedChains

	// DidResume tells whether an earlier session was resumed.
	DidResume = tlsattr.DidResume

	// OCSPResponse is the stapled OCSP response.
	OCSPResponse = tlsattr.OCSPResponse

	// SignedCertificateTimestamps are those of the handshake (RFC 6962).
	SignedCertificateTimestamps = tlsattr.SignedCertificateTimestamps

	// TLSUnique is the tls-unique channel binding (RFC 5929 section 3), which
	// TLS 1.3 does not have. It is secret.
	TLSUnique = tlsattr.TLSUnique

	// ECHAccepted tells whether the server accepted an Encrypted Client Hello.
	ECHAccepted = tlsattr.ECHAccepted

	// HelloRetryRequest tells whether the key exchange took another round
	// trip.
	HelloRetryRequest = tlsattr.HelloRetryRequest

	// ExportKeyingMaterial derives keys for other protocols (RFC 5705). It is
	// secret.
	ExportKeyingMaterial = tlsattr.ExportKeyingMaterial

	// ServerSide tells whether this side is the server.
	ServerSide = tlsattr.ServerSide

	// AllowsTruncation is Options.AllowTruncation.
	AllowsTruncation = tlsattr.AllowsTruncation
)

var facts = attr.Define(append(
	tlsattr.Facts(func(c *Conn) *ConnectionState { return &c.state }),
	attr.Value(ServerSide, func(c *Conn) bool { return c.server }),
	attr.Value(AllowsTruncation, func(c *Conn) bool { return c.opt.AllowTruncation }),
	attr.From(stream.Unread, (*Conn).unreadBytes),
)...)

// A ProtocolVersion is the value of [Version].
type ProtocolVersion = tlsattr.ProtocolVersion

// A CipherSuiteID is the value of [CipherSuite].
type CipherSuiteID = tlsattr.CipherSuiteID
