package tls

import (
	cryptotls "crypto/tls"
	"slices"
)

// A hello is what a server keeps of the ClientHello and of what it answered
// it with. The nil hello is that of a client, and empty.
type hello struct {
	offeredProtocols []string
	offeredSuites    []uint16
	offeredCurves    []cryptotls.CurveID

	used        *Config      // the one that answers, the caller's
	certificate *Certificate // what was chosen of it; nil when that is not known
}

// hearing returns cfg for the handshake of c, in which it notes down the
// ClientHello. The handshake goes on with cfg itself, or a configuration that
// its callback returns, so that the copy does not outlive the handshake.
//
// Session tickets go on working, with the caller's keys: DecryptTicket makes
// those that crypto/tls makes by itself, for Clone to copy.
func (c *Conn) hearing(cfg *Config) *Config {
	_, _ = cfg.DecryptTicket(nil, ConnectionState{})
	own := cfg.Clone()
	own.GetConfigForClient = func(info *ClientHelloInfo) (*Config, error) {
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
		c.hello = &hello{
			offeredProtocols: info.SupportedProtos,
			offeredSuites:    info.CipherSuites,
			offeredCurves:    info.SupportedCurves,
			used:             used,
		}
		return c.hello.choosing(), nil
	}
	return own
}

// choosing returns the configuration in use, or where the certificate is not
// plain from that, a copy which notes down the one that is chosen.
func (h *hello) choosing() *Config {
	switch {
	case h.used.NameToCertificate != nil: // deprecated, and still the caller's to set
		return h.used // crypto/tls does not tell what it chose
	case h.used.GetCertificate == nil && len(h.used.Certificates) == 1:
		h.certificate = &h.used.Certificates[0]
		return h.used
	}
	own := h.used.Clone()
	own.Certificates = nil // or GetCertificate would be passed by without a name
	own.GetCertificate = func(info *ClientHelloInfo) (*Certificate, error) {
		cert, err := choose(h.used, info)
		h.certificate = cert
		return cert, err
	}
	return own
}

// choose chooses as crypto/tls does.
func choose(cfg *Config, info *ClientHelloInfo) (*Certificate, error) {
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

func (h *hello) protocols() []string {
	if h == nil {
		return nil
	}
	return h.offeredProtocols
}

func (h *hello) suites() []CipherSuiteID {
	if h == nil {
		return nil
	}
	ids := make([]CipherSuiteID, len(h.offeredSuites))
	for i, id := range h.offeredSuites {
		ids[i] = CipherSuiteID(id)
	}
	return ids
}

func (h *hello) curves() []cryptotls.CurveID {
	if h == nil {
		return nil
	}
	return h.offeredCurves
}

func (h *hello) sharedSuites(version uint16) []CipherSuiteID {
	return slices.DeleteFunc(h.suites(), func(id CipherSuiteID) bool {
		return !suiteEnabled(h.used, version, uint16(id))
	})
}

func (h *hello) sharedCurves(version uint16) []cryptotls.CurveID {
	return slices.DeleteFunc(slices.Clone(h.curves()), func(id cryptotls.CurveID) bool {
		return !curveEnabled(h.used, version, id)
	})
}

// suiteEnabled tells whether a server with cfg takes the cipher suite in a
// session of the given version. Those of TLS 1.3 are not for cfg to choose.
func suiteEnabled(cfg *Config, version, id uint16) bool {
	known := cryptotls.CipherSuites()
	if version < VersionTLS13 && cfg.CipherSuites != nil {
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
func curveEnabled(cfg *Config, version uint16, id cryptotls.CurveID) bool {
	if len(cfg.CurvePreferences) > 0 && !slices.Contains(cfg.CurvePreferences, id) {
		return false
	}
	switch id {
	case cryptotls.X25519, cryptotls.CurveP256, cryptotls.CurveP384, cryptotls.CurveP521:
		return true
	case cryptotls.X25519MLKEM768, cryptotls.SecP256r1MLKEM768, cryptotls.SecP384r1MLKEM1024:
		return version >= VersionTLS13
	}
	return false
}
