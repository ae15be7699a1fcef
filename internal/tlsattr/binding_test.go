package tlsattr_test

import (
	"crypto"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/strata-go/strata/internal/tlsattr"
)

// The rest of this is in package tls, with sessions.
func TestWhatIsWeakerThanSHA256IsBoundToByIt(t *testing.T) {
	assert.Equal(t, crypto.SHA256, tlsattr.HashOf(x509.MD5WithRSA))
	assert.Equal(t, crypto.SHA256, tlsattr.HashOf(x509.SHA1WithRSA))
	assert.Equal(t, crypto.SHA256, tlsattr.HashOf(x509.ECDSAWithSHA1))
	assert.Zero(t, tlsattr.HashOf(x509.UnknownSignatureAlgorithm))
}
