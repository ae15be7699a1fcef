package tlsattr

import (
	"crypto"
	_ "crypto/sha256" // the hashes of hashOf
	_ "crypto/sha512"
	cryptotls "crypto/tls"
	"crypto/x509"
)

// exporterBinding returns tls-exporter (RFC 9266 section 2), nil where the
// session cannot export.
func exporterBinding(state *cryptotls.ConnectionState) []byte {
	const label, size = "EXPORTER-Channel-Binding", 32
	// The context is empty, which in TLS 1.2 is another than none.
	key, err := state.ExportKeyingMaterial(label, []byte{}, size)
	if err != nil {
		return nil
	}
	return key
}

// serverLeaf returns the certificate that the server showed in the handshake,
// nil if it is not known.
func (s *Session) serverLeaf() *x509.Certificate {
	if !s.Server {
		return leafOf(s.State.PeerCertificates)
	}
	if s.State.DidResume || s.Hello == nil || s.Hello.certificate == nil {
		return nil
	}
	shown := s.Hello.certificate
	if shown.Leaf != nil {
		return shown.Leaf
	}
	if len(shown.Certificate) == 0 {
		return nil
	}
	leaf, err := x509.ParseCertificate(shown.Certificate[0])
	if err != nil {
		return nil
	}
	return leaf
}

func leafOf(chain []*x509.Certificate) *x509.Certificate {
	if len(chain) == 0 {
		return nil
	}
	return chain[0]
}

// endPointBinding returns tls-server-end-point (RFC 5929 section 4.1) for the
// server's certificate, nil where none is defined.
func endPointBinding(leaf *x509.Certificate) []byte {
	if leaf == nil {
		return nil
	}
	hash := hashOf(leaf.SignatureAlgorithm)
	if hash == 0 {
		return nil
	}
	h := hash.New()
	h.Write(leaf.Raw)
	return h.Sum(nil)
}

// hashOf returns the hash with which to bind to a certificate that was signed
// so: SHA-256 in place of what is weaker, none for a signature without a hash
// of its own.
func hashOf(signature x509.SignatureAlgorithm) crypto.Hash {
	switch signature {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1,
		x509.SHA256WithRSA, x509.DSAWithSHA256, x509.ECDSAWithSHA256, x509.SHA256WithRSAPSS:
		return crypto.SHA256
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		return crypto.SHA384
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		return crypto.SHA512
	}
	return 0
}
