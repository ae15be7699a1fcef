package testpki

import (
	"crypto/ecdh"
	"crypto/rand"
	cryptotls "crypto/tls"

	"golang.org/x/crypto/cryptobyte"
)

// NewECHKey returns a key for Encrypted Client Hellos, with a configuration
// (RFC 9849 section 4) for X25519, HKDF-SHA256 and AES-128-GCM, and the list of
// it for clients.
func NewECHKey(publicName string) (key cryptotls.EncryptedClientHelloKey, list []byte, err error) {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return key, nil, err
	}
	var config, l cryptobyte.Builder
	config.AddUint16(0xfe0d)
	config.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint8(7)       // the configuration's number
		b.AddUint16(0x0020) // DHKEM(X25519, HKDF-SHA256)
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(private.PublicKey().Bytes()) })
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint16(1) // HKDF-SHA256
			b.AddUint16(1) // AES-128-GCM
		})
		b.AddUint8(32) // as long as names get
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(publicName)) })
		b.AddUint16(0) // no extensions
	})
	key = cryptotls.EncryptedClientHelloKey{PrivateKey: private.Bytes(), SendAsRetry: true}
	if key.Config, err = config.Bytes(); err != nil {
		return key, nil, err
	}
	l.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(key.Config) })
	list, err = l.Bytes()
	return key, list, err
}
