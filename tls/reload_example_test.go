package tls_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/tls"
)

// A certificate is renewed while the server runs.
func ExampleCertReloader() {
	ca, err := testpki.New(time.Now())
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "strata")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")

	renew(ca, certFile, keyFile, "first")
	r, err := tls.NewCertReloader(certFile, keyFile, &tls.ReloadConfig{
		Interval: -1, // at each handshake
		OnReload: func(_ *tls.Certificate, err error) { fmt.Println("reloaded:", err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	below := memory.Listen(nil)
	ln := tls.NewListener(below, &tls.Config{GetCertificate: r.GetCertificate}, nil)
	defer ln.Close()
	client := &tls.Connector[*memory.Conn]{
		Below:  below,
		Config: &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"},
	}
	visit(ln, client)
	renew(ca, certFile, keyFile, "second")
	visit(ln, client)
	// Output:
	// first
	// reloaded: <nil>
	// second
}

// renew writes a new certificate under other names and renames it.
func renew(ca *testpki.CA, certFile, keyFile, name string) {
	cert, err := ca.Issue(testpki.Leaf{Names: []string{name, "localhost"}})
	if err != nil {
		log.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		log.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert.Certificate[0]},
		keyFile:  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file+".new", pem.EncodeToMemory(block), 0o600); err != nil {
			log.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			log.Fatal(err)
		}
	}
}

// visit connects to the server and prints whose certificate it shows.
func visit(ln *tls.Listener, client *tls.Connector[*memory.Conn]) {
	ctx := context.Background()
	done := make(chan struct{})
	go func() {
		defer close(done)
		server, err := ln.Accept(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if err := server.Shutdown(ctx); err != nil {
			log.Fatal(err)
		}
	}()
	conn, err := client.Connect(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if leaf, ok := tls.PeerCertificate.Lookup(conn); ok {
		fmt.Println(leaf.Subject.CommonName)
	}
	if err := conn.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	<-done
}
