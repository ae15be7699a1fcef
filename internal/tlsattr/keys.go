// Package tlsattr holds the attributes of what crypto/tls knows about a
// connection: the identities of the keys, and the facts behind them in a form
// that every layer which has a ConnectionState can put into its own table.
//
// Users find the keys re-exported in package tls.
package tlsattr

import (
	cryptotls "crypto/tls"
	"crypto/x509"

	"github.com/strata-go/strata/attr"
)

// All of these are fixed: they tell what the handshake settled. What it did
// not negotiate is absent. The certificates must not be modified.
var (
	// State is everything below in the standard library's form. It is secret
	// since keys can be derived from it. Fixed.
	State = attr.NewSecret[cryptotls.ConnectionState]("tls.state")

	// Version is the protocol version, such as crypto/tls.VersionTLS13. Fixed.
	Version = attr.New[ProtocolVersion]("tls.version")

	// CipherSuite is the cipher suite, such as
	// crypto/tls.TLS_AES_128_GCM_SHA256. Fixed.
	CipherSuite = attr.New[CipherSuiteID]("tls.cipher_suite")

	// CurveID is the key exchange mechanism. It is absent when that was RSA's
	// own. Fixed.
	CurveID = attr.New[cryptotls.CurveID]("tls.curve_id")

	// ALPN is the application protocol that both sides agreed on (RFC 7301).
	// Fixed.
	ALPN = attr.New[string]("tls.alpn_protocol")

	// ServerName is the name that the client asked for (SNI, RFC 6066 section
	// 3). Fixed.
	ServerName = attr.New[string]("tls.server_name")

	// PeerCertificate is the peer's own certificate. Fixed.
	PeerCertificate = attr.New[*x509.Certificate]("tls.peer_certificate")

	// PeerCertificates are what the peer sent, its own certificate first.
	// Fixed.
	PeerCertificates = attr.New[[]*x509.Certificate]("tls.peer_certificates")

	// VerifiedChains are the ways from the peer's certificate to a root that
	// is trusted. It is absent when nothing was verified. Fixed.
	VerifiedChains = attr.New[[][]*x509.Certificate]("tls.verified_chains")

	// DidResume tells whether the handshake resumed an earlier session. Fixed.
	DidResume = attr.New[bool]("tls.did_resume")

	// OCSPResponse is the stapled OCSP response. Fixed.
	OCSPResponse = attr.New[[]byte]("tls.ocsp_response")

	// SignedCertificateTimestamps are those the peer sent in the handshake
	// (RFC 6962). Fixed.
	SignedCertificateTimestamps = attr.New[[][]byte]("tls.signed_certificate_timestamps")

	// TLSUnique is the tls-unique channel binding (RFC 5929 section 3). TLS
	// 1.3 has none, nor has a resumed connection without Extended Master
	// Secret. It is secret since SCRAM authenticates with it. Fixed.
	TLSUnique = attr.NewSecret[[]byte]("tls.unique")

	// ECHAccepted tells whether the server accepted an Encrypted Client Hello.
	// Fixed.
	ECHAccepted = attr.New[bool]("tls.ech_accepted")

	// HelloRetryRequest tells whether the handshake took a round trip more to
	// agree on a key exchange. Fixed.
	HelloRetryRequest = attr.New[bool]("tls.hello_retry_request")

	// ExportKeyingMaterial derives keys for other protocols from the session's
	// (RFC 5705). Fixed.
	ExportKeyingMaterial = attr.NewSecret[Exporter]("tls.export_keying_material")

	// ServerSide tells whether this side was the server in the handshake.
	// Fixed.
	ServerSide = attr.New[bool]("tls.server_side")

	// AllowsTruncation tells whether an end of the transport without
	// close_notify passes for a clean end here, so that an attacker can cut
	// the stream short unnoticed. Fixed.
	AllowsTruncation = attr.New[bool]("tls.allows_truncation")

	// EndedCleanly tells whether the peer said close_notify, once there is an
	// end; before that it is absent. Live, but what was settled before Close
	// still answers after it.
	EndedCleanly = attr.New[bool]("tls.ended_cleanly")
)

// What a server saw of the ClientHello. Clients have none of these. All are
// fixed, and must not be modified.
var (
	// OfferedALPN are the application protocols that the client offered, in its
	// order. Fixed.
	OfferedALPN = attr.New[[]string]("tls.offered_alpn_protocols")

	// OfferedCipherSuites are the cipher suites that the client offered, in
	// its order and with those that nobody knows (RFC 8701). Fixed.
	OfferedCipherSuites = attr.New[[]CipherSuiteID]("tls.offered_cipher_suites")

	// OfferedCurves are the key exchange mechanisms that the client offered, in
	// its order and with those that nobody knows. Fixed.
	OfferedCurves = attr.New[[]cryptotls.CurveID]("tls.offered_curves")

	// SharedCipherSuites are those offered which the server could have
	// chosen in the version that was agreed on. Fixed.
	SharedCipherSuites = attr.New[[]CipherSuiteID]("tls.shared_cipher_suites")

	// SharedCurves are those offered which the server could have chosen in
	// the version that was agreed on. Fixed.
	SharedCurves = attr.New[[]cryptotls.CurveID]("tls.shared_curves")
)

// What binds an authentication in a session to that session (RFC 5056), with
// TLSUnique. All are fixed, and absent where they are not defined.
var (
	// TLSExporter is the tls-exporter channel binding (RFC 9266). TLS 1.2
	// without Extended Master Secret has none. It is secret. Fixed.
	TLSExporter = attr.NewSecret[[]byte]("tls.exporter")

	// TLSServerEndPoint is the tls-server-end-point channel binding (RFC 5929
	// section 4), a hash of the server's certificate. Fixed.
	TLSServerEndPoint = attr.New[[]byte]("tls.server_end_point")
)

// An Exporter is the ExportKeyingMaterial method of a
// crypto/tls.ConnectionState.
type Exporter = func(label string, context []byte, length int) ([]byte, error)

// A ProtocolVersion is a version of TLS as it stands in the protocol. It
// compares with the constants of crypto/tls.
type ProtocolVersion uint16

// String returns the version's name, such as "TLS 1.3".
func (v ProtocolVersion) String() string { return cryptotls.VersionName(uint16(v)) }

// A CipherSuiteID is a cipher suite as it stands in the protocol. The
// constants of crypto/tls are its uint16.
type CipherSuiteID uint16

// String returns the suite's name, such as "TLS_AES_128_GCM_SHA256".
func (id CipherSuiteID) String() string { return cryptotls.CipherSuiteName(uint16(id)) }
