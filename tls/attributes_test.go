package tls_test

import (
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/tls"
)

// TestAttributesTellWhatWasNegotiated over a session in which everything was.
func TestAttributesTellWhatWasNegotiated(t *testing.T) {
	p, err := usual()
	require.NoError(t, err)
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			serverConfig, clientConfig := p.configs(v.version)
			serverConfig.NextProtos, clientConfig.NextProtos = []string{"b", "a"}, []string{"a", "b"}
			serverConfig.ClientAuth, serverConfig.ClientCAs = tls.RequireAndVerifyClientCert, p.ca.Pool()
			clientConfig.Certificates = []tls.Certificate{p.client}
			a, b := memory.Pipe(nil)
			remote, err := netconn.RemoteAddr.Get(a)
			require.NoError(t, err)
			c, s, err := wrap(t.Context(), a, b, serverConfig, clientConfig, nil)
			require.NoError(t, err)
			require.NoError(t, c.Close())
			require.NoError(t, s.Close())

			wantFact(t, tls.ServerSide, c, false)
			wantFact(t, tls.ServerSide, s, true)
			wantFact(t, tls.AllowsTruncation, c, false)
			wantFact(t, netconn.RemoteAddr, c, remote)
			for _, end := range []*tls.Conn{c, s} {
				wantFact(t, tls.Version, end, tls.ProtocolVersion(v.version))
				wantFact(t, tls.ALPN, end, "b")
				wantFact(t, tls.ServerName, end, "localhost")
				wantFact(t, tls.DidResume, end, false)
				wantFact(t, tls.ECHAccepted, end, false)
				wantFact(t, tls.HelloRetryRequest, end, false)
				wantAbsent(t, tls.OCSPResponse, end)
				wantAbsent(t, tls.SignedCertificateTimestamps, end)
				suite, err := tls.CipherSuite.Get(end)
				require.NoError(t, err)
				assert.NotZero(t, suite)
				_, err = tls.CurveID.Get(end)
				require.NoError(t, err)
				chains, err := tls.VerifiedChains.Get(end)
				require.NoError(t, err)
				assert.Len(t, chains, 1)
			}
			leaf, err := tls.PeerCertificate.Get(s)
			require.NoError(t, err)
			assert.Equal(t, "client.example", leaf.Subject.CommonName)
			leaf, err = tls.PeerCertificate.Get(c)
			require.NoError(t, err)
			assert.Equal(t, "localhost", leaf.Subject.CommonName)
			wantFact(t, tls.PeerCertificates, c, []*x509.Certificate{leaf})

			// Both sides derive the same.
			export := func(p attr.Provider) []byte {
				f, err := tls.ExportKeyingMaterial.Get(p)
				require.NoError(t, err)
				key, err := f("EXPORTER-Channel-Binding", nil, 32)
				require.NoError(t, err)
				return key
			}
			assert.Equal(t, export(c), export(s))
			if v.version == tls.VersionTLS13 {
				wantAbsent(t, tls.TLSUnique, c)
			} else {
				unique, err := tls.TLSUnique.Get(c)
				require.NoError(t, err)
				wantFact(t, tls.TLSUnique, s, unique)
			}
			state, err := tls.State.Get(c)
			require.NoError(t, err)
			assert.Equal(t, v.version, state.Version)
		})
	}
}

func TestWhatWasNotNegotiatedIsAbsent(t *testing.T) {
	_, server := pair(t, tls.VersionTLS13, nil, &tls.Options{AllowTruncation: true})
	wantAbsent(t, tls.ALPN, server)
	wantAbsent(t, tls.PeerCertificate, server)
	wantAbsent(t, tls.PeerCertificates, server)
	wantAbsent(t, tls.VerifiedChains, server)
	wantFact(t, tls.AllowsTruncation, server, true)
}

// TestInnerSessionShadowsTheOuter over TLS in TLS.
func TestInnerSessionShadowsTheOuter(t *testing.T) {
	outerClient, outerServer := pair(t, tls.VersionTLS12, nil, nil)
	serverConfig, clientConfig := usualConfigs(t, tls.VersionTLS13)
	c, s, err := wrap(t.Context(), outerClient, outerServer, serverConfig, clientConfig, nil)
	require.NoError(t, err)
	defer s.Close()
	defer c.Close()
	var versions []tls.ProtocolVersion
	for v, err := range tls.Version.All(c) {
		require.NoError(t, err)
		versions = append(versions, v)
	}
	assert.Equal(t, []tls.ProtocolVersion{tls.VersionTLS13, tls.VersionTLS12}, versions)
}

// TestUnreadCountsWhatEachLayerHolds, in plaintext and in ciphertext.
func TestUnreadCountsWhatEachLayerHolds(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			client, server := pair(t, v.version, nil, nil)
			_, err := client.Send(t.Context(), pattern(0, 100))
			require.NoError(t, err)
			require.NoError(t, stream.WaitReceive(t.Context(), server))
			wantFact(t, stream.Unread, server, 100)
			buf := make([]byte, 30)
			_, err = server.Receive(t.Context(), buf)
			require.NoError(t, err)
			wantFact(t, stream.Unread, server, 70)
			require.Equal(t, pattern(30, 70), receiveExactly(t, t.Context(), server, 70))
			wantFact(t, stream.Unread, server, 0)

			_, err = client.Send(t.Context(), pattern(0, 30))
			require.NoError(t, err)
			_, err = server.Receive(t.Context(), buf) // exactly as much as there is
			require.NoError(t, err)
			wantFact(t, stream.Unread, server, 0)
		})
	}
}

func wantFact[T any](t *testing.T, k attr.Key[T], p attr.Provider, want T) {
	t.Helper()
	got, err := k.Get(p)
	require.NoError(t, err, k.Name())
	assert.Equal(t, want, got, k.Name())
}

func wantAbsent[T any](t *testing.T, k attr.Key[T], p attr.Provider) {
	t.Helper()
	_, err := k.Get(p)
	assert.ErrorIs(t, err, attr.ErrNotFound, k.Name())
}
