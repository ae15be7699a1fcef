package tls

import (
	cryptotls "crypto/tls"
	"net/netip"
	"time"

	"github.com/strata-go/strata/internal/hostname"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
)

// The types of crypto/tls that callers need, so that they import one tls
// package.
type (
	// Config is crypto/tls's.
	Config = cryptotls.Config

	// Certificate is crypto/tls's.
	Certificate = cryptotls.Certificate

	// ConnectionState is crypto/tls's.
	ConnectionState = cryptotls.ConnectionState

	// ClientHelloInfo is crypto/tls's.
	ClientHelloInfo = cryptotls.ClientHelloInfo

	// ClientAuthType is crypto/tls's.
	ClientAuthType = cryptotls.ClientAuthType

	// ClientSessionCache is crypto/tls's.
	ClientSessionCache = cryptotls.ClientSessionCache
)

// The protocol versions, for Config.MinVersion, Config.MaxVersion and
// [Version].
const (
	VersionTLS12 = cryptotls.VersionTLS12
	VersionTLS13 = cryptotls.VersionTLS13
)

// What a server asks of clients, for Config.ClientAuth.
const (
	NoClientCert               = cryptotls.NoClientCert
	RequestClientCert          = cryptotls.RequestClientCert
	RequireAnyClientCert       = cryptotls.RequireAnyClientCert
	VerifyClientCertIfGiven    = cryptotls.VerifyClientCertIfGiven
	RequireAndVerifyClientCert = cryptotls.RequireAndVerifyClientCert
)

// LoadX509KeyPair is crypto/tls's: a certificate and its key from PEM files.
func LoadX509KeyPair(certFile, keyFile string) (Certificate, error) {
	return cryptotls.LoadX509KeyPair(certFile, keyFile)
}

// X509KeyPair is crypto/tls's: a certificate and its key from PEM in memory.
func X509KeyPair(certPEM, keyPEM []byte) (Certificate, error) {
	return cryptotls.X509KeyPair(certPEM, keyPEM)
}

// Options are what this package adds to [Config]. A nil Options and the zero
// Options mean every default, which is safe.
type Options struct {
	// AllowTruncation makes an end of the transport between two records a
	// clean end, io.EOF, though the peer did not say close_notify. It is for
	// protocols that mark their own ends, with peers that do not bother.
	AllowTruncation bool

	// HandshakeTimeout is how long a handshake of a [Listener] may take. Zero
	// means 30 s; negative means no limit. Elsewhere a context tells.
	HandshakeTimeout time.Duration

	// InFlight is how many streams of a [Listener] may be in a handshake, or
	// through it and not yet accepted, at once. At the limit the client that
	// has kept its handshake waiting longest, for at least 250 ms in all or
	// less in a flood, gives way to the next one, and its error is
	// listener.ErrCrowdedOut: see listener.PrepareConfig. Zero means 1024;
	// negative means no limit.
	InFlight int

	// OnError is told about each handshake of a [Listener] that failed: the
	// stream, which is closed but whose fixed attributes still answer, and
	// the error, in which the [*HandshakeError] tells the name that the client
	// asked for. It may run several times at once. Nil drops the error, also
	// the one that Config has no certificate.
	OnError func(s stream.ByteStream, err error)
}

func (o *Options) copy() Options {
	if o == nil {
		return Options{}
	}
	return *o
}

// clientConfig returns the Config with which to shake hands over s.
func clientConfig(s stream.ByteStream, cfg *Config) (*Config, error) {
	own := &Config{}
	if cfg != nil {
		own = cfg.Clone()
	}
	// Records of full size from the start: Send hands several to the transport
	// at once, so that small ones gain nothing.
	own.DynamicRecordSizingDisabled = true
	own.Renegotiation = cryptotls.RenegotiateNever
	if own.ServerName == "" {
		own.ServerName, _ = sockattr.Host.Lookup(s)
	}
	if own.ServerName == "" && !own.InsecureSkipVerify && own.EncryptedClientHelloConfigList == nil {
		return own, errNoServerName
	}
	name, err := asciiName(own.ServerName)
	if err != nil {
		return own, err
	}
	own.ServerName = name
	return own, nil
}

// asciiName returns the form of a host's name in certificates: [hostname.ASCII],
// and an address without its zone, which no certificate has.
func asciiName(name string) (string, error) {
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.WithZone("").String(), nil
	}
	return hostname.ASCII(name)
}
