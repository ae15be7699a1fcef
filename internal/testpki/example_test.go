package testpki_test

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/strata-go/strata/internal/testpki"
)

func ExampleCA_Issue() {
	ca, err := testpki.New(time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	cert, err := ca.Issue(testpki.Leaf{Names: []string{"mail.example", "192.0.2.1"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = cert.Leaf.Verify(x509.VerifyOptions{Roots: ca.Pool(), DNSName: "mail.example"})
	fmt.Println(cert.Leaf.Issuer, err)
	// Output: CN=Strata test CA <nil>
}
