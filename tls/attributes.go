package tls

import (
	cryptotls "crypto/tls"
	"crypto/x509"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/tlsattr"
	"github.com/strata-go/strata/stream"
)

// The attributes of a session. All of them but [EndedCleanly] are fixed when
// the handshake is done, and answer after Close. What was not negotiated is
// absent. Those that crypto/tls's ConnectionState has answer for every TLS
// layer, also for a *crypto/tls.Conn below a netconn.
var (
	// State is all of it in crypto/tls's form. It is secret: keys can be
	// derived from it.
	State attr.Key[ConnectionState] = tlsattr.State

	// Version is the protocol version, which compares with [VersionTLS13] and
	// prints as "TLS 1.3".
	Version attr.Key[ProtocolVersion] = tlsattr.Version

	// CipherSuite is the cipher suite, as crypto/tls numbers them. It prints
	// as its name.
	CipherSuite attr.Key[CipherSuiteID] = tlsattr.CipherSuite

	// CurveID is the key exchange mechanism, absent with RSA key exchange.
	CurveID attr.Key[cryptotls.CurveID] = tlsattr.CurveID

	// ALPN is the application protocol that both sides agreed on (RFC 7301).
	ALPN attr.Key[string] = tlsattr.ALPN

	// ServerName is the name that the client asked for (SNI, RFC 6066 section
	// 3).
	ServerName attr.Key[string] = tlsattr.ServerName

	// PeerCertificate is the peer's own certificate.
	PeerCertificate attr.Key[*x509.Certificate] = tlsattr.PeerCertificate

	// PeerCertificates are those that the peer sent, its own first.
	PeerCertificates attr.Key[[]*x509.Certificate] = tlsattr.PeerCertificates

	// VerifiedChains are the ways from the peer's certificate to a trusted
	// root, absent when nothing was verified.
	VerifiedChains attr.Key[[][]*x509.Certificate] = tlsattr.VerifiedChains

	// DidResume tells whether an earlier session was resumed.
	DidResume attr.Key[bool] = tlsattr.DidResume

	// OCSPResponse is the stapled OCSP response.
	OCSPResponse attr.Key[[]byte] = tlsattr.OCSPResponse

	// SignedCertificateTimestamps are those of the handshake (RFC 6962).
	SignedCertificateTimestamps attr.Key[[][]byte] = tlsattr.SignedCertificateTimestamps

	// TLSUnique is the tls-unique channel binding (RFC 5929 section 3), which
	// TLS 1.3 does not have. It is secret.
	TLSUnique attr.Key[[]byte] = tlsattr.TLSUnique

	// ECHAccepted tells whether the server accepted an Encrypted Client Hello.
	ECHAccepted attr.Key[bool] = tlsattr.ECHAccepted

	// HelloRetryRequest tells whether the key exchange took another round
	// trip.
	HelloRetryRequest attr.Key[bool] = tlsattr.HelloRetryRequest

	// ExportKeyingMaterial derives keys for other protocols (RFC 5705). It is
	// secret.
	ExportKeyingMaterial attr.Key[func(label string, context []byte, length int) ([]byte, error)] = tlsattr.ExportKeyingMaterial

	// ServerSide tells whether this side is the server.
	ServerSide attr.Key[bool] = tlsattr.ServerSide

	// AllowsTruncation is Options.AllowTruncation.
	AllowsTruncation attr.Key[bool] = tlsattr.AllowsTruncation

	// EndedCleanly tells whether the peer ended its direction with
	// close_notify. It is absent until Receive, or another call that receives,
	// came to an end; false means that the stream was cut short, which
	// Options.AllowTruncation hides. It is live, and net.ErrClosed after a
	// Close that came before the end.
	EndedCleanly attr.Key[bool] = tlsattr.EndedCleanly
)

// What a server saw of the ClientHello; clients have none of it. With an
// Encrypted Client Hello that was accepted it is the one inside. What is shared
// is so by the Config in use and crypto/tls's defaults, without what GODEBUG or
// FIPS 140 mode change about them.
var (
	// OfferedALPN are the client's application protocols, in its order.
	OfferedALPN attr.Key[[]string] = tlsattr.OfferedALPN

	// OfferedCipherSuites are the client's cipher suites, in its order,
	// also those that nobody knows (RFC 8701).
	OfferedCipherSuites attr.Key[[]CipherSuiteID] = tlsattr.OfferedCipherSuites

	// OfferedCurves are the client's key exchange mechanisms, in its order,
	// also those that nobody knows.
	OfferedCurves attr.Key[[]cryptotls.CurveID] = tlsattr.OfferedCurves

	// SharedCipherSuites are those of OfferedCipherSuites that the server
	// could have chosen in the session's version.
	SharedCipherSuites attr.Key[[]CipherSuiteID] = tlsattr.SharedCipherSuites

	// SharedCurves are those of OfferedCurves that the server could have
	// chosen in the session's version.
	SharedCurves attr.Key[[]cryptotls.CurveID] = tlsattr.SharedCurves
)

// The channel bindings beside [TLSUnique]: what ties an authentication in the
// session, as SCRAM's, to the session.
var (
	// TLSExporter is the tls-exporter channel binding (RFC 9266). It is absent
	// in TLS 1.2 without Extended Master Secret. It is secret.
	TLSExporter attr.Key[[]byte] = tlsattr.TLSExporter

	// TLSServerEndPoint is the tls-server-end-point channel binding (RFC 5929
	// section 4), the hash of the server's certificate. It is absent where no
	// hash is defined, as for Ed25519, and on a server that resumed a session
	// or uses Config.NameToCertificate: it cannot know which certificate
	// the client saw.
	TLSServerEndPoint attr.Key[[]byte] = tlsattr.TLSServerEndPoint
)

var facts = attr.Define(append(
	tlsattr.SessionFacts(func(c *Conn) tlsattr.Session {
		return tlsattr.Session{State: &c.state, Server: c.server, Hello: c.hello}
	}),
	attr.Value(AllowsTruncation, func(c *Conn) bool { return c.allowTruncation }),
	attr.From(EndedCleanly, (*Conn).endedCleanly),
	attr.From(stream.Unread, (*Conn).unreadBytes),
)...)

// A ProtocolVersion is the value of [Version], a uint16.
type ProtocolVersion = tlsattr.ProtocolVersion

// A CipherSuiteID is the value of [CipherSuite], a uint16.
type CipherSuiteID = tlsattr.CipherSuiteID
