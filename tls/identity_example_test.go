package tls_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/tls"
)

// Mutual TLS: the server asks for a certificate, and reads from it who the
// client is.
func Example_mutual() {
	ctx := context.Background()
	ca, err := testpki.New(time.Now())
	if err != nil {
		log.Fatal(err)
	}
	serverCert, err := ca.Issue(testpki.Server)
	if err != nil {
		log.Fatal(err)
	}
	clientCert, err := ca.Issue(testpki.Leaf{Names: []string{"alice.example"}, Client: true})
	if err != nil {
		log.Fatal(err)
	}
	below := memory.Listen(nil)
	ln := tls.NewListener(below, &tls.Config{
		Certificates: []tls.Certificate{serverCert},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    ca.Pool(),
	}, nil)
	defer ln.Close()

	done := make(chan struct{})
	go func() {
		defer close(done)
		c := &tls.Connector[*memory.Conn]{Below: below, Config: &tls.Config{
			RootCAs:      ca.Pool(),
			ServerName:   "localhost",
			Certificates: []tls.Certificate{clientCert},
		}}
		client, err := c.Connect(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if err := client.Shutdown(ctx); err != nil {
			log.Fatal(err)
		}
	}()

	server, err := ln.Accept(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if leaf, ok := tls.PeerCertificate.Lookup(server); ok {
		fmt.Println(leaf.Subject.CommonName)
	}
	if err := server.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	<-done
	// Output: alice.example
}

// TLS over a Unix socket, with the standard library's listener.
func Example_unix() {
	ctx := context.Background()
	serverConfig, clientConfig := exampleConfigs()
	dir, err := os.MkdirTemp("", "strata")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	below, err := net.Listen("unix", path)
	if err != nil {
		log.Fatal(err)
	}
	ln := tls.NewListener(netconn.WrapListener(below), serverConfig, nil)
	defer ln.Close()

	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := net.Dial("unix", path)
		if err != nil {
			log.Fatal(err)
		}
		client, err := tls.WrapClient(ctx, netconn.Wrap(conn), clientConfig, nil)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := client.Send(ctx, []byte("hello")); err != nil {
			log.Fatal(err)
		}
		if err := client.Shutdown(ctx); err != nil {
			log.Fatal(err)
		}
	}()

	server, err := ln.Accept(ctx)
	if err != nil {
		log.Fatal(err)
	}
	p := make([]byte, 100)
	n, err := server.Receive(ctx, p)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", p[:n])
	if err := server.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	<-done
	// Output: hello
}

// One listener for each protocol.
func ExampleRoute() {
	ctx := context.Background()
	serverConfig, clientConfig := exampleConfigs()
	serverConfig.NextProtos = []string{"news/1", "mail/1"}
	clientConfig.NextProtos = []string{"mail/1"}
	below := memory.Listen(nil)
	routes := tls.Route(tls.NewListener(below, serverConfig, nil), "news/1", "mail/1")
	for _, r := range routes {
		defer r.Close()
	}

	done := make(chan struct{})
	go func() {
		defer close(done)
		client, err := (&tls.Connector[*memory.Conn]{Below: below, Config: clientConfig}).Connect(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if err := client.Shutdown(ctx); err != nil {
			log.Fatal(err)
		}
	}()

	mail, err := routes[1].Accept(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if protocol, ok := tls.ALPN.Lookup(mail); ok {
		fmt.Println(protocol)
	}
	if err := mail.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	<-done
	// Output: mail/1
}
