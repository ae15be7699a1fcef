// Command gen writes the certificates under testdata/pki: an authority and one
// certificate of each kind that several packages' tests share. Run it with
//
//	go generate ./internal/testpki
//
// It makes a new authority each time and keeps no key of it, so it replaces
// all of the files together. They are good for 100 years.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/strata-go/strata/internal/testpki"
)

func main() {
	dir := flag.String("dir", "testdata/pki", "the folder to write to")
	flag.Parse()
	if err := generate(*dir, time.Now()); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// generate writes all the files, with certificates made at now.
func generate(dir string, now time.Time) error {
	ca, err := testpki.New(now)
	if err != nil {
		return err
	}
	if _, err := ca.WritePEM(dir); err != nil {
		return err
	}
	for name, leaf := range leaves() {
		cert, err := ca.Issue(leaf)
		if err != nil {
			return err
		}
		if _, _, err := testpki.WritePEM(dir, name, cert); err != nil {
			return err
		}
	}
	return nil
}

// leaves returns what is written, by the name of the files.
func leaves() map[string]testpki.Leaf {
	future := testpki.NotYetValid
	future.Starts = 99 * 365 * 24 * time.Hour // an hour would be over before anybody tests
	return map[string]testpki.Leaf{
		"server":        testpki.Server,
		"client":        testpki.Client,
		"rsa":           testpki.RSA,
		"expired":       testpki.Expired,
		"not-yet-valid": future,
		"self-signed":   testpki.SelfSigned,
		"wrong-name":    testpki.WrongName,
		"idn":           testpki.IDN,
	}
}
