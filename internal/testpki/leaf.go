package testpki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"time"
)

// A Leaf says what certificate [CA.Issue] makes. The zero Leaf is a server's
// that names nobody.
type Leaf struct {
	// Names are the DNS names and IP addresses that the certificate is good
	// for. The first is its common name too.
	Names []string

	// Client makes a certificate with which a client shows who it is. With
	// false it is a server's.
	Client bool

	// Starts and Ends bound the validity, counted from the authority's time.
	// Zero means a day before and 100 years after.
	Starts, Ends time.Duration

	// SelfSigned has the certificate signed by its own key, so that no
	// authority vouches for it.
	SelfSigned bool

	// RSA asks for an RSA key of 2048 bits. With false it is ECDSA P-256.
	RSA bool
}

// localhost is what a server on the loopback interface is called.
var localhost = []string{"localhost", "127.0.0.1", "::1"}

// The certificates that most tests want. All but Client, WrongName and IDN
// are for localhost, 127.0.0.1 and ::1.
var (
	// Server and Client are valid for another 100 years.
	Server = Leaf{Names: localhost}
	Client = Leaf{Names: []string{"client.example"}, Client: true}

	// RSA is Server with an RSA key.
	RSA = Leaf{Names: localhost, RSA: true}

	// Expired ended an hour ago, NotYetValid starts in an hour.
	Expired     = Leaf{Names: localhost, Ends: -time.Hour}
	NotYetValid = Leaf{Names: localhost, Starts: time.Hour}

	// SelfSigned does not come from the authority.
	SelfSigned = Leaf{Names: localhost, SelfSigned: true}

	// WrongName is for a host that no test connects to.
	WrongName = Leaf{Names: []string{"wrong.example"}}

	// IDN is for "faß.de" as IDNA 2008 encodes it; IDNA 2003 would have made
	// it "fass.de".
	IDN = Leaf{Names: []string{"xn--fa-hia.de"}}
)

// template returns the certificate to be signed.
func (l Leaf) template(now time.Time) *x509.Certificate {
	c := &x509.Certificate{
		Subject:               pkix.Name{CommonName: l.commonName()},
		NotBefore:             now.Add(-grace),
		NotAfter:              now.Add(lifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if l.Client {
		c.ExtKeyUsage[0] = x509.ExtKeyUsageClientAuth
	}
	if l.RSA {
		c.KeyUsage |= x509.KeyUsageKeyEncipherment // the RSA key exchange of TLS 1.2
	}
	if l.Starts != 0 {
		c.NotBefore = now.Add(l.Starts)
	}
	if l.Ends != 0 {
		c.NotAfter = now.Add(l.Ends)
	}
	for _, name := range l.Names {
		if ip := net.ParseIP(name); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, name)
		}
	}
	return c
}

// commonName is the first of the names, if there is one.
func (l Leaf) commonName() string {
	if len(l.Names) == 0 {
		return ""
	}
	return l.Names[0]
}
