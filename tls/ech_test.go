package tls_test

import (
	"crypto/ecdh"
	"crypto/rand"
	cryptotls "crypto/tls"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/tls"
)

// newECHKey returns a key for Encrypted Client Hellos, with a configuration
// (RFC 9849 section 4) for X25519, HKDF-SHA256 and AES-128-GCM, and the list
// of it for clients.
func newECHKey(t *testing.T, publicName string) (key cryptotls.EncryptedClientHelloKey, list []byte) {
	t.Helper()
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	var b cryptobyte.Builder
	b.AddUint16(0xfe0d)
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
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
	config, err := b.Bytes()
	require.NoError(t, err)
	var l cryptobyte.Builder
	l.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(config) })
	list, err = l.Bytes()
	require.NoError(t, err)
	return cryptotls.EncryptedClientHelloKey{Config: config, PrivateKey: private.Bytes(), SendAsRetry: true}, list
}

// TestEncryptedClientHello with keys in the Config, or from its callback. What
// the server tells of the ClientHello is what was encrypted.
func TestEncryptedClientHello(t *testing.T) {
	key, list := newECHKey(t, "public.example")
	tests := []struct {
		name  string
		setup func(cfg *tls.Config)
	}{
		{"keys", func(cfg *tls.Config) { cfg.EncryptedClientHelloKeys = []cryptotls.EncryptedClientHelloKey{key} }},
		{"callback", func(cfg *tls.Config) {
			cfg.GetEncryptedClientHelloKeys = func(*tls.ClientHelloInfo) ([]cryptotls.EncryptedClientHelloKey, error) {
				return []cryptotls.EncryptedClientHelloKey{key}, nil
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			serverConfig, clientConfig := usualConfigs(t, tls.VersionTLS13)
			tt.setup(serverConfig)
			serverConfig.NextProtos, clientConfig.NextProtos = []string{"secret"}, []string{"secret"}
			clientConfig.EncryptedClientHelloConfigList = list
			c, s := session(t, serverConfig, clientConfig)
			for _, end := range []*tls.Conn{c, s} {
				wantFact(t, tls.ECHAccepted, end, true)
				wantFact(t, tls.ServerName, end, "localhost")
			}
			wantFact(t, tls.OfferedALPN, s, []string{"secret"})
			wantAgreed(t, tls.TLSServerEndPoint, c, s)
			requireCarries(t, c, s, 100_000)
		})
	}
}

// TestRejectedEncryptedClientHelloGivesKeysToTryAgainWith, of a server that
// has others and proves to be the public one.
func TestRejectedEncryptedClientHelloGivesKeysToTryAgainWith(t *testing.T) {
	p, err := usual()
	require.NoError(t, err)
	_, outdated := newECHKey(t, "public.example")
	key, list := newECHKey(t, "public.example")
	public, err := p.ca.Issue(testpki.Leaf{Names: []string{"public.example"}})
	require.NoError(t, err)
	serverConfig, clientConfig := p.configs(tls.VersionTLS13)
	serverConfig.Certificates = append(serverConfig.Certificates, public)
	serverConfig.EncryptedClientHelloKeys = []cryptotls.EncryptedClientHelloKey{key}
	clientConfig.EncryptedClientHelloConfigList = outdated

	a, b := memory.Pipe(nil)
	served := make(chan error, 1)
	go func() {
		s, err := tls.WrapServer(t.Context(), b, serverConfig, nil)
		if err == nil { // the client's alert comes behind its Finished
			_, err = s.Receive(t.Context(), make([]byte, 1))
			s.Close()
		}
		served <- err
	}()
	_, err = tls.WrapClient(t.Context(), a, clientConfig, nil)
	rejected, ok := errors.AsType[*cryptotls.ECHRejectionError](err)
	require.True(t, ok, "%v", err)
	require.Error(t, <-served)
	require.Equal(t, list, rejected.RetryConfigList)

	clientConfig.EncryptedClientHelloConfigList = rejected.RetryConfigList
	c, _ := session(t, serverConfig, clientConfig)
	accepted, err := tls.ECHAccepted.Get(c)
	require.NoError(t, err)
	assert.True(t, accepted)
}
