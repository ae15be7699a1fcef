package tlsattr

import (
	"context"
	cryptotls "crypto/tls"
	"slices"
)

type config = cryptotls.Config

// A Hello is what a server keeps of the ClientHello and of what it answered
// it with. The nil Hello is that of a client, and empty.
type Hello struct {
	offeredProtocols []string
	offeredSuites    []uint16
	offeredCurves    []cryptotls.CurveID

	used        *config                // the one that answers, the caller's
	certificate *cryptotls.Certificate // what was chosen of it; nil when that is not known
}

// Hearing returns cfg for handshakes as a server, each of which tells heard the
// ClientHello, with the context of the handshake. It goes on with cfg itself,
// or a configuration that its callback returns, so that the copy need not
// outlive the handshake.
//
// Session tickets go on working, with the caller's keys: DecryptTicket makes
// those that crypto/tls makes by itself, for Clone to copy.
func Hearing(cfg *cryptotls.Config, heard func(context.Context, *Hello)) *cryptotls.Config {
	_, _ = cfg.DecryptTicket(nil, cryptotls.ConnectionState{})
	own := cfg.Clone()
	own.GetConfigForClient = func(info *cryptotls.ClientHelloInfo) (*config, error) {
		used := cfg
		if cfg.GetConfigForClient != nil {
			chosen, err := cfg.GetConfigForClient(info)
			if err != nil {
				return nil, err
			}
			if chosen != nil {
				used = chosen
			}
		}
		h := &Hello{
			offeredProtocols: info.SupportedProtos,
			offeredSuites:    info.CipherSuites,
			offeredCurves:    info.SupportedCurves,
			used:             used,
		}
		heard(info.Context(), h)
		return h.choosing(), nil
	}
	return own
}

// choosing returns the configuration in use, or where the certificate is not
// plain from that, a copy which notes down the one that is chosen.
func (h *Hello) choosing() *config {
	switch {
	case h.used.NameToCertificate != nil: // deprecated, and still the caller's to set
		return h.used // crypto/tls does not tell what it chose
	case h.used.GetCertificate == nil && len(h.used.Certificates) == 1:
		h.certificate = &h.used.Certificates[0]
		return h.used
	}
	own := h.used.Clone()
	own.Certificates = nil // or GetCertificate would be passed by without a name
	own.GetCertificate = func(info *cryptotls.ClientHelloInfo) (*cryptotls.Certificate, error) {
		cert, err := choose(h.used, info)
		h.certificate = cert
		return cert, err
	}
	return own
}

// choose chooses as crypto/tls does.
func choose(cfg *config, info *cryptotls.ClientHelloInfo) (*cryptotls.Certificate, error) {
	if cfg.GetCertificate != nil && (len(cfg.Certificates) == 0 || info.ServerName != "") {
		cert, err := cfg.GetCertificate(info)
		if cert != nil || err != nil {
			return cert, err
		}
	}
	if len(cfg.Certificates) == 0 {
		return nil, nil // crypto/tls has an error for that
	}
	for i := range cfg.Certificates {
		if len(cfg.Certificates) == 1 || info.SupportsCertificate(&cfg.Certificates[i]) == nil {
			return &cfg.Certificates[i], nil
		}
	}
	return &cfg.Certificates[0], nil
}

func (h *Hello) protocols() []string {
	if h == nil {
		return nil
	}
	return h.offeredProtocols
}

func (h *Hello) suites() []CipherSuiteID {
	if h == nil {
		return nil
	}
	ids := make([]CipherSuiteID, len(h.offeredSuites))
	for i, id := range h.offeredSuites {
		ids[i] = CipherSuiteID(id)
	}
	return ids
}

func (h *Hello) curves() []cryptotls.CurveID {
	if h == nil {
		return nil
	}
	return h.offeredCurves
}

func (h *Hello) sharedSuites(version uint16) []CipherSuiteID {
	return slices.DeleteFunc(h.suites(), func(id CipherSuiteID) bool {
		return !suiteEnabled(h.used, version, uint16(id))
	})
}

func (h *Hello) sharedCurves(version uint16) []cryptotls.CurveID {
	return slices.DeleteFunc(slices.Clone(h.curves()), func(id cryptotls.CurveID) bool {
		return !curveEnabled(h.used, version, id)
	})
}

// suiteEnabled tells whether a server with cfg takes the cipher suite in a
// session of the given version. Those of TLS 1.3 are not for cfg to choose.
func suiteEnabled(cfg *config, version, id uint16) bool {
	known := cryptotls.CipherSuites()
	if version < cryptotls.VersionTLS13 && cfg.CipherSuites != nil {
		if !slices.Contains(cfg.CipherSuites, id) {
			return false
		}
		known = append(known, cryptotls.InsecureCipherSuites()...)
	}
	return slices.ContainsFunc(known, func(s *cryptotls.CipherSuite) bool {
		return s.ID == id && slices.Contains(s.SupportedVersions, version)
	})
}

// curveEnabled is suiteEnabled for key exchange mechanisms, which crypto/tls
// does not list.
func curveEnabled(cfg *config, version uint16, id cryptotls.CurveID) bool {
	if len(cfg.CurvePreferences) > 0 && !slices.Contains(cfg.CurvePreferences, id) {
		return false
	}
	switch id {
	case cryptotls.X25519, cryptotls.CurveP256, cryptotls.CurveP384, cryptotls.CurveP521:
		return true
	case cryptotls.X25519MLKEM768, cryptotls.SecP256r1MLKEM768, cryptotls.SecP384r1MLKEM1024:
		return version >= cryptotls.VersionTLS13
	}
	return false
}
