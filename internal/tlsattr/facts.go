package tlsattr

import (
	cryptotls "crypto/tls"
	"crypto/x509"

	"github.com/strata-go/strata/attr"
)

// Facts returns what a ConnectionState tells about layers whose state is what
// of returns, for [attr.Define]. The keys ServerSide and AllowsTruncation are
// not among them: a state does not know. A layer whose state is nil, or of a
// handshake that is not complete, has none of the facts.
func Facts[S any](of func(S) *cryptotls.ConnectionState) []attr.Fact[S] {
	return []attr.Fact[S]{
		fact(State, of, func(s *cryptotls.ConnectionState) (cryptotls.ConnectionState, bool) { return *s, true }),
		fact(Version, of, func(s *cryptotls.ConnectionState) (ProtocolVersion, bool) { return ProtocolVersion(s.Version), true }),
		fact(CipherSuite, of, func(s *cryptotls.ConnectionState) (CipherSuiteID, bool) { return CipherSuiteID(s.CipherSuite), true }),
		fact(CurveID, of, func(s *cryptotls.ConnectionState) (cryptotls.CurveID, bool) { return s.CurveID, s.CurveID != 0 }),
		fact(ALPN, of, func(s *cryptotls.ConnectionState) (string, bool) {
			return s.NegotiatedProtocol, s.NegotiatedProtocol != ""
		}),
		fact(ServerName, of, func(s *cryptotls.ConnectionState) (string, bool) { return s.ServerName, s.ServerName != "" }),
		fact(PeerCertificate, of, leaf),
		fact(PeerCertificates, of, func(s *cryptotls.ConnectionState) ([]*x509.Certificate, bool) {
			return some(s.PeerCertificates)
		}),
		fact(VerifiedChains, of, func(s *cryptotls.ConnectionState) ([][]*x509.Certificate, bool) {
			return some(s.VerifiedChains)
		}),
		fact(DidResume, of, func(s *cryptotls.ConnectionState) (bool, bool) { return s.DidResume, true }),
		fact(OCSPResponse, of, func(s *cryptotls.ConnectionState) ([]byte, bool) { return some(s.OCSPResponse) }),
		fact(SignedCertificateTimestamps, of, func(s *cryptotls.ConnectionState) ([][]byte, bool) {
			return some(s.SignedCertificateTimestamps)
		}),
		fact(TLSUnique, of, func(s *cryptotls.ConnectionState) ([]byte, bool) { return some(s.TLSUnique) }),
		fact(ECHAccepted, of, func(s *cryptotls.ConnectionState) (bool, bool) { return s.ECHAccepted, true }),
		fact(HelloRetryRequest, of, func(s *cryptotls.ConnectionState) (bool, bool) { return s.HelloRetryRequest, true }),
		fact(ExportKeyingMaterial, of, func(s *cryptotls.ConnectionState) (Exporter, bool) {
			return s.ExportKeyingMaterial, true
		}),
	}
}

// fact is the fact that get tells about a complete state, unless it says that
// nothing was negotiated.
func fact[S, T any](
	k attr.Key[T],
	of func(S) *cryptotls.ConnectionState,
	get func(*cryptotls.ConnectionState) (T, bool),
) attr.Fact[S] {
	return attr.From(k, func(s S) (v T, err error) {
		state := of(s)
		if state == nil || !state.HandshakeComplete {
			return v, attr.ErrNotFound
		}
		v, ok := get(state)
		if !ok {
			return v, attr.ErrNotFound
		}
		return v, nil
	})
}

func leaf(s *cryptotls.ConnectionState) (*x509.Certificate, bool) {
	if len(s.PeerCertificates) == 0 {
		return nil, false
	}
	return s.PeerCertificates[0], true
}

func some[E any](list []E) ([]E, bool) { return list, len(list) > 0 }
