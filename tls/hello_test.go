package tls_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	cryptotls "crypto/tls"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/tls"
)

// session returns both ends of a session over memory.
func session(t *testing.T, server, client *tls.Config) (c, s *tls.Conn) {
	t.Helper()
	a, b := memory.Pipe(nil)
	c, s, err := wrap(t.Context(), a, b, server, client, nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		c.Close()
		s.Close()
	})
	return c, s
}

func TestServerTellsWhatTheClientOffered(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			serverConfig, clientConfig := usualConfigs(t, v.version)
			serverConfig.CurvePreferences = []cryptotls.CurveID{cryptotls.CurveP384, cryptotls.X25519}
			serverConfig.CipherSuites = []uint16{cryptotls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
			serverConfig.NextProtos = []string{"b"}
			clientConfig.NextProtos = []string{"a", "b"}
			clientConfig.CurvePreferences = []cryptotls.CurveID{cryptotls.CurveP256, cryptotls.X25519}
			c, s := session(t, serverConfig, clientConfig)
			require.NoError(t, c.Close())
			require.NoError(t, s.Close())

			wantFact(t, tls.OfferedALPN, s, []string{"a", "b"})
			wantFact(t, tls.OfferedCurves, s, []cryptotls.CurveID{cryptotls.X25519, cryptotls.CurveP256})
			wantFact(t, tls.SharedCurves, s, []cryptotls.CurveID{cryptotls.X25519})
			offered, err := tls.OfferedCipherSuites.Get(s)
			require.NoError(t, err)
			shared, err := tls.SharedCipherSuites.Get(s)
			require.NoError(t, err)
			suite, err := tls.CipherSuite.Get(s)
			require.NoError(t, err)
			assert.Subset(t, offered, shared)
			assert.Contains(t, shared, suite)
			if v.version == tls.VersionTLS12 {
				assert.Len(t, shared, 1)
			} else {
				assert.Len(t, shared, 3)
			}
			wantAbsent(t, tls.OfferedALPN, c)
			wantAbsent(t, tls.OfferedCurves, c)
			wantAbsent(t, tls.OfferedCipherSuites, c)
			wantAbsent(t, tls.SharedCurves, c)
			wantAbsent(t, tls.SharedCipherSuites, c)
		})
	}
}

// TestSharedIsWhatADefaultServerChoosesFrom, for every mechanism that a
// client can insist on.
func TestSharedIsWhatADefaultServerChoosesFrom(t *testing.T) {
	for _, v := range versions {
		for _, curve := range []cryptotls.CurveID{
			cryptotls.X25519, cryptotls.CurveP256, cryptotls.CurveP384, cryptotls.CurveP521,
			cryptotls.X25519MLKEM768, cryptotls.SecP256r1MLKEM768, cryptotls.SecP384r1MLKEM1024,
		} {
			t.Run(v.name+" "+curve.String(), func(t *testing.T) {
				serverConfig, clientConfig := usualConfigs(t, v.version)
				clientConfig.CurvePreferences = []cryptotls.CurveID{curve}
				a, b := memory.Pipe(nil)
				c, s, err := wrap(t.Context(), a, b, serverConfig, clientConfig, nil)
				if curve >= cryptotls.SecP256r1MLKEM768 && v.version == tls.VersionTLS12 {
					require.Error(t, err)
					return
				}
				require.NoError(t, err)
				defer s.Close()
				defer c.Close()
				wantFact(t, tls.SharedCurves, s, []cryptotls.CurveID{curve})
			})
		}
	}
}

// TestTicketsResumeSessions by tickets whose keys crypto/tls makes, that the
// caller sets or that the configuration of one client has.
func TestTicketsResumeSessions(t *testing.T) {
	keys := [][32]byte{{1, 2, 3}}
	tests := []struct {
		name  string
		setup func(cfg *tls.Config)
		want  bool
	}{
		{"own keys", func(*tls.Config) {}, true},
		{"keys that were set", func(cfg *tls.Config) { cfg.SetSessionTicketKeys(keys) }, true},
		{"configuration per client", func(cfg *tls.Config) {
			other := cfg.Clone()
			cfg.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return other.Clone(), nil }
		}, true},
		{"no configuration of its own", func(cfg *tls.Config) {
			cfg.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }
		}, true},
		{"chosen certificate", func(cfg *tls.Config) {
			cert := cfg.Certificates[0]
			cfg.Certificates = nil
			cfg.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &cert, nil }
		}, true},
		{"no tickets", func(cfg *tls.Config) { cfg.SessionTicketsDisabled = true }, false},
	}
	for _, v := range versions {
		for _, tt := range tests {
			t.Run(v.name+" "+tt.name, func(t *testing.T) {
				serverConfig, clientConfig := usualConfigs(t, v.version)
				clientConfig.ClientSessionCache = cryptotls.NewLRUClientSessionCache(1)
				tt.setup(serverConfig)
				for i := range 3 {
					c, s := session(t, serverConfig, clientConfig)
					wantFact(t, tls.DidResume, s, tt.want && i > 0)
					wantFact(t, tls.DidResume, c, tt.want && i > 0)
					wantAgreed(t, tls.TLSExporter, c, s)
					_, err := tls.TLSServerEndPoint.Get(c)
					require.NoError(t, err)
					if tt.want && i > 0 {
						wantAbsent(t, tls.TLSServerEndPoint, s)
					}
					_, err = s.Send(t.Context(), []byte("x")) // and the tickets
					require.NoError(t, err)
					receiveExactly(t, t.Context(), c, 1)
				}
			})
		}
	}
}

func TestResumptionEndsWithTheKeys(t *testing.T) {
	serverConfig, clientConfig := usualConfigs(t, tls.VersionTLS13)
	clientConfig.ClientSessionCache = cryptotls.NewLRUClientSessionCache(1)
	for i := range 2 {
		serverConfig.SetSessionTicketKeys([][32]byte{{byte(i + 1)}})
		c, s := session(t, serverConfig, clientConfig)
		wantFact(t, tls.DidResume, s, false)
		_, err := s.Send(t.Context(), []byte("x"))
		require.NoError(t, err)
		receiveExactly(t, t.Context(), c, 1)
	}
}

func TestErrorOfTheCallbackFailsTheHandshake(t *testing.T) {
	serverConfig, clientConfig := usualConfigs(t, tls.VersionTLS13)
	serverConfig.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return nil, assert.AnError
	}
	a, b := memory.Pipe(nil)
	failed := make(chan error, 1)
	go func() {
		_, err := tls.WrapServer(t.Context(), b, serverConfig, nil)
		failed <- err
	}()
	_, err := tls.WrapClient(t.Context(), a, clientConfig, nil)
	require.Error(t, err)
	require.ErrorIs(t, <-failed, assert.AnError)
}

// TestCertificateIsChosenAsWithoutUs, which the client sees, and the binding
// is to it on both sides.
func TestCertificateIsChosenAsWithoutUs(t *testing.T) {
	p, err := usual()
	require.NoError(t, err)
	issue := func(l testpki.Leaf) tls.Certificate {
		cert, err := p.ca.Issue(l)
		require.NoError(t, err)
		return cert
	}
	rsa, wrong, other := issue(testpki.RSA), issue(testpki.WrongName), issue(testpki.Leaf{Names: []string{"other.example"}})
	get := func(cert *tls.Certificate, err error) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return cert, err }
	}
	tests := []struct {
		name   string
		server *tls.Config
		sni    string
		bound  bool
	}{
		{"only one", &tls.Config{Certificates: []tls.Certificate{wrong}}, "localhost", true},
		{"by name", &tls.Config{Certificates: []tls.Certificate{wrong, p.server, other}}, "localhost", true},
		{"first for want of a match", &tls.Config{Certificates: []tls.Certificate{wrong, other}}, "localhost", true},
		{"without a name", &tls.Config{Certificates: []tls.Certificate{wrong, other}}, "", true},
		{"callback", &tls.Config{GetCertificate: get(&rsa, nil)}, "localhost", true},
		{"callback before others", &tls.Config{GetCertificate: get(&rsa, nil), Certificates: []tls.Certificate{wrong}}, "localhost", true},
		{"callback passed by without a name", &tls.Config{GetCertificate: get(&rsa, nil), Certificates: []tls.Certificate{wrong}}, "", true},
		{"callback without an answer", &tls.Config{GetCertificate: get(nil, nil), Certificates: []tls.Certificate{wrong, p.server}}, "localhost", true},
		{"callback that fails", &tls.Config{GetCertificate: get(nil, assert.AnError)}, "localhost", false},
		{"callback without any", &tls.Config{GetCertificate: get(nil, nil)}, "localhost", false},
		{"by the deprecated map", &tls.Config{
			Certificates:      []tls.Certificate{wrong, p.server},
			NameToCertificate: map[string]*tls.Certificate{"localhost": &other}, // it must go on working
		}, "localhost", false},
	}
	for _, v := range versions {
		for _, tt := range tests {
			t.Run(v.name+" "+tt.name, func(t *testing.T) {
				cfg := tt.server.Clone()
				cfg.MinVersion, cfg.MaxVersion = v.version, v.version
				client := &tls.Config{InsecureSkipVerify: true, ServerName: tt.sni}
				want, wantErr := bareLeaf(t, cfg, client)
				a, b := memory.Pipe(nil)
				c, s, err := wrap(t.Context(), a, b, cfg, client, nil)
				if wantErr != nil {
					require.Error(t, err)
					return
				}
				require.NoError(t, err)
				defer s.Close()
				defer c.Close()
				leaf, err := tls.PeerCertificate.Get(c)
				require.NoError(t, err)
				require.Equal(t, want, leaf)
				if tt.bound {
					wantAgreed(t, tls.TLSServerEndPoint, c, s)
				} else {
					wantAbsent(t, tls.TLSServerEndPoint, s)
				}
			})
		}
	}
}

// bareLeaf returns the certificate that crypto/tls shows by itself.
func bareLeaf(t *testing.T, server, client *tls.Config) (*x509.Certificate, error) {
	a, b := loopback(t)
	defer a.Close()
	defer b.Close()
	go cryptotls.Server(b, server).HandshakeContext(t.Context())
	c := cryptotls.Client(a, client)
	if err := c.HandshakeContext(t.Context()); err != nil {
		return nil, err
	}
	return c.ConnectionState().PeerCertificates[0], nil
}

func wantAgreed(t *testing.T, k attr.Key[[]byte], c, s *tls.Conn) {
	t.Helper()
	want, err := k.Get(c)
	require.NoError(t, err)
	require.NotEmpty(t, want)
	wantFact(t, k, s, want)
}

func TestExporterBindsAsTheRFCSays(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			c, s := pair(t, v.version, nil, nil)
			wantAgreed(t, tls.TLSExporter, c, s)
			export, err := tls.ExportKeyingMaterial.Get(c)
			require.NoError(t, err)
			want, err := export("EXPORTER-Channel-Binding", []byte{}, 32)
			require.NoError(t, err)
			wantFact(t, tls.TLSExporter, c, want)
		})
	}
}

// TestEndPointBindingUsesTheHashOfTheSignature, and none where it has none.
func TestEndPointBindingUsesTheHashOfTheSignature(t *testing.T) {
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p, err := usual()
	require.NoError(t, err)
	rsa, err := p.ca.Issue(testpki.RSA)
	require.NoError(t, err)
	tests := []struct {
		algorithm x509.SignatureAlgorithm
		signer    crypto.Signer
		sum       func([]byte) []byte
	}{
		{x509.SHA256WithRSA, rsa.PrivateKey.(crypto.Signer), sum256},
		{x509.SHA256WithRSAPSS, rsa.PrivateKey.(crypto.Signer), sum256},
		{x509.SHA384WithRSA, rsa.PrivateKey.(crypto.Signer), func(b []byte) []byte { s := sha512.Sum384(b); return s[:] }},
		{x509.SHA512WithRSA, rsa.PrivateKey.(crypto.Signer), func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }},
		{x509.ECDSAWithSHA256, p.server.PrivateKey.(crypto.Signer), sum256},
		{x509.PureEd25519, edwards, nil},
	}
	for _, tt := range tests {
		t.Run(tt.algorithm.String(), func(t *testing.T) {
			template := &x509.Certificate{
				SerialNumber: big.NewInt(1), SignatureAlgorithm: tt.algorithm,
				NotAfter: time.Now().Add(time.Hour),
			}
			der, err := x509.CreateCertificate(rand.Reader, template, template, tt.signer.Public(), tt.signer)
			require.NoError(t, err)
			server := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: tt.signer}}}
			c, s := session(t, server, &tls.Config{InsecureSkipVerify: true})
			for _, end := range []*tls.Conn{c, s} {
				if tt.sum == nil {
					wantAbsent(t, tls.TLSServerEndPoint, end)
				} else {
					wantFact(t, tls.TLSServerEndPoint, end, tt.sum(der))
				}
			}
		})
	}
}

func sum256(b []byte) []byte {
	s := sha256.Sum256(b)
	return s[:]
}

func TestEndedCleanlyTellsCloseNotifyFromTruncation(t *testing.T) {
	receive := func(c *tls.Conn) error {
		_, err := c.Receive(context.Background(), make([]byte, 1))
		return err
	}
	for _, tolerant := range []bool{false, true} {
		opt := &tls.Options{AllowTruncation: tolerant}
		client, server := pair(t, tls.VersionTLS13, nil, opt)
		wantAbsent(t, tls.EndedCleanly, server)
		require.NoError(t, client.SendEOF(t.Context()))
		wantAbsent(t, tls.EndedCleanly, server)
		require.Error(t, receive(server))
		wantFact(t, tls.EndedCleanly, server, true)
		require.NoError(t, server.Close())
		wantFact(t, tls.EndedCleanly, server, true)

		serverConfig, clientConfig := usualConfigs(t, tls.VersionTLS13)
		a, b := memory.Pipe(nil)
		c, s, err := wrap(t.Context(), a, b, serverConfig, clientConfig, opt)
		require.NoError(t, err)
		require.NoError(t, a.Close()) // without close_notify
		require.Error(t, receive(s))
		wantFact(t, tls.EndedCleanly, s, false)
		require.NoError(t, s.Close())
		require.NoError(t, c.Close())
		_, err = tls.EndedCleanly.Get(c)
		require.Error(t, err)
		require.NotErrorIs(t, err, attr.ErrNotFound)
	}
}
