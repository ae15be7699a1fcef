package testpki

import (
	cryptotls "crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
)

// WritePEM writes the authority's certificate to ca.pem in dir, for programs
// that read files. It returns the file's path. The authority's key is never
// written.
func (ca *CA) WritePEM(dir string) (string, error) {
	file := filepath.Join(dir, "ca.pem")
	return file, write(file, 0o644, "CERTIFICATE", ca.cert.Raw)
}

// WritePEM writes a certificate that [CA.Issue] made to name.pem in dir, and
// its key, in PKCS #8, to name.key. It returns the paths of both.
func WritePEM(dir, name string, cert cryptotls.Certificate) (certFile, keyFile string, err error) {
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return "", "", fmt.Errorf("testpki: key of %s: %w", name, err)
	}
	certFile = filepath.Join(dir, name+".pem")
	keyFile = filepath.Join(dir, name+".key")
	if err := write(certFile, 0o644, "CERTIFICATE", cert.Certificate...); err != nil {
		return "", "", err
	}
	return certFile, keyFile, write(keyFile, 0o600, "PRIVATE KEY", key)
}

// write writes one PEM block after another to a file.
func write(file string, mode os.FileMode, kind string, blocks ...[]byte) error {
	var data []byte
	for _, b := range blocks {
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b})...)
	}
	if err := os.WriteFile(file, data, mode); err != nil {
		return fmt.Errorf("testpki: %w", err)
	}
	return nil
}
