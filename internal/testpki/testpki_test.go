package testpki_test

import (
	"crypto/rsa"
	cryptotls "crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testpki"
)

// verdicts is what a verifier that asks for localhost, or for a client, must
// say to each kind of certificate; without refuse it is accepted.
var verdicts = []struct {
	name   string // of the files under testdata/pki
	leaf   testpki.Leaf
	host   string
	usage  x509.ExtKeyUsage
	refuse func(error) bool
}{
	{"server", testpki.Server, "localhost", x509.ExtKeyUsageServerAuth, nil},
	{"server", testpki.Server, "127.0.0.1", x509.ExtKeyUsageServerAuth, nil},
	{"server", testpki.Server, "[::1]", x509.ExtKeyUsageServerAuth, nil},
	{"rsa", testpki.RSA, "localhost", x509.ExtKeyUsageServerAuth, nil},
	{"client", testpki.Client, "", x509.ExtKeyUsageClientAuth, nil},
	{"idn", testpki.IDN, "xn--fa-hia.de", x509.ExtKeyUsageServerAuth, nil},
	{"server", testpki.Server, "", x509.ExtKeyUsageClientAuth, invalid(x509.IncompatibleUsage)},
	{"client", testpki.Client, "", x509.ExtKeyUsageServerAuth, invalid(x509.IncompatibleUsage)},
	{"expired", testpki.Expired, "localhost", x509.ExtKeyUsageServerAuth, invalid(x509.Expired)},
	{"not-yet-valid", testpki.NotYetValid, "localhost", x509.ExtKeyUsageServerAuth, invalid(x509.Expired)},
	{"self-signed", testpki.SelfSigned, "localhost", x509.ExtKeyUsageServerAuth, is[x509.UnknownAuthorityError]},
	{"wrong-name", testpki.WrongName, "localhost", x509.ExtKeyUsageServerAuth, is[x509.HostnameError]},
}

func TestIssuedCertificatesVerifyAsTheirNamesSay(t *testing.T) {
	now := time.Now()
	ca, err := testpki.New(now)
	require.NoError(t, err)
	for _, tt := range verdicts {
		t.Run(tt.name+" for "+tt.host, func(t *testing.T) {
			cert, err := ca.Issue(tt.leaf)
			require.NoError(t, err)
			_, err = cert.Leaf.Verify(x509.VerifyOptions{
				DNSName: tt.host, Roots: ca.Pool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{tt.usage},
			})
			judge(t, tt.refuse, err)
		})
	}
}

// The files under testdata/pki are those of the program in gen, and still good.
func TestCommittedCertificatesVerifyAsTheirNamesSay(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "pki")
	ca := certificateIn(t, filepath.Join(dir, "ca.pem"))
	assert.Equal(t, testpki.Name, ca.Subject.CommonName)
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	covered := map[string]bool{"ca.pem": true}
	for _, tt := range verdicts {
		t.Run(tt.name+" for "+tt.host, func(t *testing.T) {
			covered[tt.name+".pem"], covered[tt.name+".key"] = true, true
			pair, err := cryptotls.LoadX509KeyPair(filepath.Join(dir, tt.name+".pem"), filepath.Join(dir, tt.name+".key"))
			require.NoError(t, err)
			for _, age := range []time.Duration{0, 50 * 365 * 24 * time.Hour} {
				_, err = pair.Leaf.Verify(x509.VerifyOptions{
					DNSName: tt.host, Roots: pool, CurrentTime: time.Now().Add(age), KeyUsages: []x509.ExtKeyUsage{tt.usage},
				})
				judge(t, tt.refuse, err)
			}
		})
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range files {
		assert.True(t, covered[f.Name()], "%s is checked by nothing", f.Name())
	}
}

func TestCertificatesMadeInABubbleAreValidThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, err := testpki.New(time.Now())
		require.NoError(t, err)
		require.Equal(t, 2000, time.Now().Year())
		server, err := ca.Issue(testpki.Server)
		require.NoError(t, err)
		client, err := ca.Issue(testpki.Client)
		require.NoError(t, err)
		a, b := net.Pipe()
		done := make(chan error)
		go func() { // ends with the handshake; the receive below waits for it
			conn := cryptotls.Server(b, &cryptotls.Config{
				Certificates: []cryptotls.Certificate{server},
				ClientCAs:    ca.Pool(), ClientAuth: cryptotls.RequireAndVerifyClientCert,
			})
			_, err := conn.Write([]byte("x"))
			done <- err
		}()
		conn := cryptotls.Client(a, &cryptotls.Config{
			RootCAs: ca.Pool(), ServerName: "localhost", Certificates: []cryptotls.Certificate{client},
		})
		_, err = io.ReadFull(conn, make([]byte, 1))
		require.NoError(t, err)
		require.NoError(t, <-done)
		require.NoError(t, a.Close())
		require.NoError(t, b.Close())
	})
}

func TestAuthoritiesDoNotVouchForEachOther(t *testing.T) {
	one, err := testpki.New(time.Now())
	require.NoError(t, err)
	other, err := testpki.New(time.Now())
	require.NoError(t, err)
	cert, err := one.Issue(testpki.Server)
	require.NoError(t, err)
	_, err = cert.Leaf.Verify(x509.VerifyOptions{Roots: other.Pool()})
	assert.Error(t, err)
}

func TestRSALeafHasAnRSAKey(t *testing.T) {
	ca, err := testpki.New(time.Now())
	require.NoError(t, err)
	cert, err := ca.Issue(testpki.RSA)
	require.NoError(t, err)
	assert.IsType(t, &rsa.PrivateKey{}, cert.PrivateKey)
	assert.Equal(t, x509.RSA, cert.Leaf.PublicKeyAlgorithm)
}

func TestLeafThatEndsBeforeItStartsIsRefused(t *testing.T) {
	ca, err := testpki.New(time.Now())
	require.NoError(t, err)
	_, err = ca.Issue(testpki.Leaf{Names: []string{"a.example"}, Starts: time.Hour, Ends: time.Minute})
	assert.ErrorContains(t, err, `"a.example" would end`)
}

func TestLeafWithoutNamesIsForNobody(t *testing.T) {
	ca, err := testpki.New(time.Now())
	require.NoError(t, err)
	cert, err := ca.Issue(testpki.Leaf{})
	require.NoError(t, err)
	assert.Error(t, cert.Leaf.VerifyHostname("localhost"))
}

func TestWrittenFilesLoadAgain(t *testing.T) {
	dir := t.TempDir()
	ca, err := testpki.New(time.Now())
	require.NoError(t, err)
	caFile, err := ca.WritePEM(dir)
	require.NoError(t, err)
	assert.True(t, ca.Certificate().Equal(certificateIn(t, caFile)))
	for _, leaf := range []testpki.Leaf{testpki.Server, testpki.RSA} {
		want, err := ca.Issue(leaf)
		require.NoError(t, err)
		certFile, keyFile, err := testpki.WritePEM(dir, "it", want)
		require.NoError(t, err)
		got, err := cryptotls.LoadX509KeyPair(certFile, keyFile)
		require.NoError(t, err)
		assert.True(t, want.Leaf.Equal(got.Leaf))
		assert.Equal(t, want.PrivateKey, got.PrivateKey)
	}
}

func TestWritingToNoFolderNamesTheFile(t *testing.T) {
	ca, err := testpki.New(time.Now())
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "missing")
	_, err = ca.WritePEM(dir)
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, filepath.Join(dir, "ca.pem"))
	cert, err := ca.Issue(testpki.Server)
	require.NoError(t, err)
	_, _, err = testpki.WritePEM(dir, "server", cert)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// judge wants a certificate accepted, or refused for the reason given.
func judge(t *testing.T, refuse func(error) bool, err error) {
	t.Helper()
	if refuse == nil {
		assert.NoError(t, err)
		return
	}
	require.Error(t, err)
	assert.True(t, refuse(err), "refused for another reason: %v", err)
}

// invalid returns a test for a certificate that is invalid for a reason.
func invalid(reason x509.InvalidReason) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[x509.CertificateInvalidError](err)
		return ok && e.Reason == reason
	}
}

// is tests for an error of type E.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// certificateIn returns the only certificate of a PEM file.
func certificateIn(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	block, rest := pem.Decode(data)
	require.NotNil(t, block)
	require.Empty(t, rest)
	cert, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return cert
}
