package tlsattr

import (
	cryptotls "crypto/tls"

	"github.com/strata-go/strata/attr"
)

// A Session is what an end of a TLS session knows that did a handshake of its
// own, beside the ConnectionState.
type Session struct {
	State  *cryptotls.ConnectionState // nil or not complete: nothing is known yet
	Server bool
	Hello  *Hello // of a client
}

// SessionFacts returns the facts of layers whose Session is what of returns,
// for [attr.Define]: those of [Facts], and those that take more than a
// ConnectionState.
func SessionFacts[S any](of func(S) Session) []attr.Fact[S] {
	return append(
		Facts(func(s S) *cryptotls.ConnectionState { return of(s).State }),
		attr.Value(ServerSide, func(s S) bool { return of(s).Server }),
		listed(OfferedALPN, of, func(s *Session) []string { return s.Hello.protocols() }),
		listed(OfferedCipherSuites, of, func(s *Session) []CipherSuiteID { return s.Hello.suites() }),
		listed(OfferedCurves, of, func(s *Session) []cryptotls.CurveID { return s.Hello.curves() }),
		listed(SharedCipherSuites, of, func(s *Session) []CipherSuiteID { return s.Hello.sharedSuites(s.State.Version) }),
		listed(SharedCurves, of, func(s *Session) []cryptotls.CurveID { return s.Hello.sharedCurves(s.State.Version) }),
		listed(TLSExporter, of, func(s *Session) []byte { return exporterBinding(s.State) }),
		listed(TLSServerEndPoint, of, func(s *Session) []byte { return endPointBinding(s.serverLeaf()) }),
	)
}

// listed is the fact that list tells about a complete session, unless it is
// empty.
func listed[S, E any](k attr.Key[[]E], of func(S) Session, list func(*Session) []E) attr.Fact[S] {
	return attr.From(k, func(s S) ([]E, error) {
		session := of(s)
		if session.State == nil || !session.State.HandshakeComplete {
			return nil, attr.ErrNotFound
		}
		if all := list(&session); len(all) > 0 {
			return all, nil
		}
		return nil, attr.ErrNotFound
	})
}
