package tls_test

import (
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/tls"
)

// keyFiles is a folder with a certificate and its key.
type keyFiles struct{ cert, key string }

func newKeyFiles(dir string) keyFiles {
	return keyFiles{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
}

// replace writes new files and renames them, as those who renew certificates
// should.
func (f keyFiles) replace(t *testing.T, cert tls.Certificate) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	require.NoError(t, err)
	f.write(t, f.cert, "CERTIFICATE", cert.Certificate[0])
	f.write(t, f.key, "PRIVATE KEY", key)
}

func (f keyFiles) write(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	b := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	require.NoError(t, os.WriteFile(path+".new", b, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

// reloads counts what OnReload is told.
type reloads struct {
	done   int
	failed []error
}

func (r *reloads) onReload(cert *tls.Certificate, err error) {
	if cert != nil {
		r.done++
	}
	if err != nil {
		r.failed = append(r.failed, err)
	}
}

func issueFor(t *testing.T, name string) tls.Certificate {
	t.Helper()
	p, err := bubble()
	require.NoError(t, err)
	cert, err := p.ca.Issue(testpki.Leaf{Names: []string{name}})
	require.NoError(t, err)
	return cert
}

func TestReloaderLooksOncePerInterval(t *testing.T) {
	for _, interval := range []time.Duration{0, 3 * time.Second, -1} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			files := newKeyFiles(dir)
			files.replace(t, issueFor(t, "a.example"))
			var told reloads
			r, err := tls.NewCertReloader(files.cert, files.key, &tls.ReloadConfig{
				Interval: interval, OnReload: told.onReload,
			})
			require.NoError(t, err)
			named := func() string {
				cert, err := r.GetCertificate(nil)
				require.NoError(t, err)
				same, err := r.GetClientCertificate(nil)
				require.NoError(t, err)
				require.Same(t, cert, same)
				return cert.Leaf.Subject.CommonName
			}
			require.Equal(t, "a.example", named())
			files.replace(t, issueFor(t, "b.example"))
			wait := interval
			switch {
			case interval == 0:
				wait = tls.DefaultReloadInterval
			case interval < 0:
				require.Equal(t, "b.example", named())
				require.Equal(t, reloads{done: 1}, told)
				return
			}
			<-time.After(wait - 1)
			require.Equal(t, "a.example", named())
			<-time.After(1)
			require.Equal(t, "b.example", named())
			<-time.After(wait)
			require.Equal(t, "b.example", named())
			require.Equal(t, reloads{done: 1}, told, "unchanged files are not read again")
		})
	}
}

func TestReloaderKeepsTheOldCertificateOnError(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		files := newKeyFiles(dir)
		first, second := issueFor(t, "a.example"), issueFor(t, "b.example")
		files.replace(t, first)
		var told reloads
		r, err := tls.NewCertReloader(files.cert, files.key, &tls.ReloadConfig{OnReload: told.onReload})
		require.NoError(t, err)
		named := func() string {
			<-time.After(tls.DefaultReloadInterval)
			cert, err := r.GetCertificate(nil)
			require.NoError(t, err)
			return cert.Leaf.Subject.CommonName
		}
		files.write(t, files.cert, "CERTIFICATE", second.Certificate[0]) // the key comes later
		require.Equal(t, "a.example", named())
		require.Len(t, told.failed, 1)
		require.NoError(t, os.WriteFile(files.cert, []byte("rubbish"), 0o600))
		require.Equal(t, "a.example", named())
		require.Len(t, told.failed, 2)
		require.NoError(t, os.Remove(files.key))
		require.Equal(t, "a.example", named())
		require.Len(t, told.failed, 3)
		require.ErrorIs(t, told.failed[2], fs.ErrNotExist)
		files.replace(t, second)
		require.Equal(t, "b.example", named())
		require.Equal(t, 1, told.done)
		require.Len(t, told.failed, 3)
	})
}

func TestReloaderNeedsACertificateToStartWith(t *testing.T) {
	files := newKeyFiles(t.TempDir())
	_, err := tls.NewCertReloader(files.cert, files.key, nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, os.WriteFile(files.cert, []byte("rubbish"), 0o600))
	_, err = tls.NewCertReloader(files.cert, files.key, nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, os.WriteFile(files.key, []byte("rubbish"), 0o600))
	r, err := tls.NewCertReloader(files.cert, files.key, nil)
	require.Error(t, err)
	require.Nil(t, r)
}

// TestSessionsGetTheRenewedCertificate, both that of a server and that of a
// client, many at once.
func TestSessionsGetTheRenewedCertificate(t *testing.T) {
	p, err := usual()
	require.NoError(t, err)
	files, own := newKeyFiles(t.TempDir()), newKeyFiles(t.TempDir())
	files.replace(t, p.server)
	own.replace(t, p.client)
	serverCert, err := tls.NewCertReloader(files.cert, files.key, &tls.ReloadConfig{Interval: -1})
	require.NoError(t, err)
	clientCert, err := tls.NewCertReloader(own.cert, own.key, nil)
	require.NoError(t, err)
	serverConfig, clientConfig := p.configs(tls.VersionTLS13)
	serverConfig.Certificates, serverConfig.GetCertificate = nil, serverCert.GetCertificate
	serverConfig.ClientAuth, serverConfig.ClientCAs = tls.RequireAndVerifyClientCert, p.ca.Pool()
	clientConfig.GetClientCertificate = clientCert.GetClientCertificate

	renewed, err := p.ca.Issue(testpki.Server)
	require.NoError(t, err)
	for _, want := range []tls.Certificate{p.server, renewed} {
		files.replace(t, want)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				_, err := serverCert.GetCertificate(nil)
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		c, s := session(t, serverConfig, clientConfig)
		wantFact(t, tls.PeerCertificate, c, want.Leaf)
		wantFact(t, tls.PeerCertificate, s, p.client.Leaf)
		wantAgreed(t, tls.TLSServerEndPoint, c, s)
	}
}
