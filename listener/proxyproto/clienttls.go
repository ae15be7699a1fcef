package proxyproto

import (
	"encoding/binary"
)

// A ClientTLS is what a proxy tells about the TLS that the client spoke with
// it (section 2.2.5). Strings are empty when it does not tell.
type ClientTLS struct {
	// CertConn and CertSession tell whether the client showed a certificate,
	// on this connection and in the session that it resumed or began.
	CertConn, CertSession bool

	// Verified tells whether the client showed a certificate and the proxy
	// found it good.
	Verified bool

	Version      string // such as "TLSv1.3"
	CommonName   string // of the client's certificate
	Cipher       string // such as "ECDHE-RSA-AES128-GCM-SHA256"
	SignatureAlg string // of the client's certificate, such as "SHA256"
	KeyAlg       string // of the client's certificate, such as "RSA2048"
}

// The bits of the first byte, and the types of what follows.
const (
	spokeTLS    = 0x01
	certConn    = 0x02
	certSession = 0x04

	tlsVersion      Type = 0x21
	tlsCommonName   Type = 0x22
	tlsCipher       Type = 0x23
	tlsSignatureAlg Type = 0x24
	tlsKeyAlg       Type = 0x25

	tlsHead = 5 // bits and verification result
)

// parseTLS returns nil if the client did not speak TLS.
func parseTLS(p []byte) (*ClientTLS, error) {
	if len(p) < tlsHead {
		return nil, malformed(2, "the TLV %v is cut off", TypeTLS)
	}
	c := &ClientTLS{CertConn: p[0]&certConn != 0, CertSession: p[0]&certSession != 0}
	c.Verified = c.CertSession && binary.BigEndian.Uint32(p[1:]) == 0
	facts, err := parseTLVs(p[tlsHead:])
	if err != nil {
		return nil, err
	}
	for _, v := range facts {
		if field := c.field(v.Type); field != nil {
			*field = string(v.Value)
		}
	}
	if p[0]&spokeTLS == 0 {
		return nil, nil
	}
	return c, nil
}

func (c *ClientTLS) field(t Type) *string {
	switch t {
	case tlsVersion:
		return &c.Version
	case tlsCommonName:
		return &c.CommonName
	case tlsCipher:
		return &c.Cipher
	case tlsSignatureAlg:
		return &c.SignatureAlg
	case tlsKeyAlg:
		return &c.KeyAlg
	}
	return nil
}

// TLV returns c as a header tells it.
func (c *ClientTLS) TLV() TLV {
	bits := byte(spokeTLS)
	if c.CertConn {
		bits |= certConn
	}
	if c.CertSession {
		bits |= certSession
	}
	value := []byte{bits, 0, 0, 0, 0}
	if !c.Verified {
		value[tlsHead-1] = 1
	}
	for t := tlsVersion; t <= tlsKeyAlg; t++ {
		if field := *c.field(t); field != "" {
			value = appendTLV(value, t, field)
		}
	}
	return TLV{TypeTLS, value}
}
