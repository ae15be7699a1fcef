package tls_test

import (
	cryptotls "crypto/tls"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/tls"
)

func newECHKey(t *testing.T, publicName string) (key cryptotls.EncryptedClientHelloKey, list []byte) {
	t.Helper()
	key, list, err := testpki.NewECHKey(publicName)
	require.NoError(t, err)
	return key, list
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
