// Package testpki makes certificates for tests: an authority of its own in
// memory, and under it the certificates that TLS code must accept and those
// that it must refuse.
//
//	ca, err := testpki.New(time.Now())
//	cert, err := ca.Issue(testpki.Server)
//	server := &cryptotls.Config{Certificates: []cryptotls.Certificate{cert}}
//	client := &cryptotls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}
//
// All times count from the one given to [New], so certificates that are made
// inside a testing/synctest bubble, whose clock starts in the year 2000, are
// valid there.
//
// Nothing in this package is fit to protect anything. The certificates under
// testdata/pki come from the program in the folder gen.
package testpki

//go:generate go run ./gen -dir ../../testdata/pki
