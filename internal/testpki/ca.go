package testpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	cryptotls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"time"
)

// Name is the common name of every authority made here.
const Name = "Strata test CA"

// lifetime is how long an authority and its certificates are valid, unless a
// [Leaf] says otherwise: longer than anybody keeps a checkout.
const lifetime = 100 * 365 * 24 * time.Hour

// grace is how long before its making a certificate became valid, for peers
// whose clocks are behind.
const grace = 24 * time.Hour

// A CA is a certificate authority whose key (ECDSA P-256) exists in memory
// only. Its methods may be called concurrently.
type CA struct {
	now  time.Time
	cert *x509.Certificate
	key  crypto.Signer
}

// New makes an authority for which it is always now. It is valid from a day
// before until 100 years later.
func New(now time.Time) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("testpki: CA key: %w", err)
	}
	ca := &CA{now: now, key: key}
	ca.cert, err = sign(&x509.Certificate{
		Subject:               pkix.Name{CommonName: Name},
		NotBefore:             now.Add(-grace),
		NotAfter:              now.Add(lifetime),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}, nil, key, key)
	if err != nil {
		return nil, err
	}
	return ca, nil
}

// Certificate returns the authority's own certificate.
func (ca *CA) Certificate() *x509.Certificate { return ca.cert }

// Pool returns a new pool that holds the authority and nothing else, for
// RootCAs and ClientCAs.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// Issue makes a key and a certificate for it. The result's Leaf is set; its
// chain does not include the authority.
func (ca *CA) Issue(l Leaf) (cryptotls.Certificate, error) {
	key, err := l.newKey()
	if err != nil {
		return cryptotls.Certificate{}, fmt.Errorf("testpki: key for %q: %w", l.commonName(), err)
	}
	template := l.template(ca.now)
	if !template.NotBefore.Before(template.NotAfter) {
		return cryptotls.Certificate{}, fmt.Errorf("testpki: %q would end at %v, before it starts at %v",
			l.commonName(), template.NotAfter, template.NotBefore)
	}
	parent, signer := ca.cert, ca.key
	if l.SelfSigned {
		parent, signer = nil, key
	}
	cert, err := sign(template, parent, key, signer)
	if err != nil {
		return cryptotls.Certificate{}, err
	}
	return cryptotls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}, nil
}

// sign makes the certificate of key; a nil parent means that it is its own.
func sign(template, parent *x509.Certificate, key, signer crypto.Signer) (*x509.Certificate, error) {
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("testpki: certificate for %q: %w", template.Subject.CommonName, err)
	}
	return x509.ParseCertificate(der)
}

// newKey makes the kind of key that l asks for.
func (l Leaf) newKey() (crypto.Signer, error) {
	if l.RSA {
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}
