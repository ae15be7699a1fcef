package tls_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// exampleConfigs returns what a server and a client need that trust a
// throw-away authority.
func exampleConfigs() (server, client *tls.Config) {
	ca, err := testpki.New(time.Now())
	if err != nil {
		log.Fatal(err)
	}
	cert, err := ca.Issue(testpki.Server)
	if err != nil {
		log.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}},
		&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}
}

// A client and a server over a pipe; any other byte stream does as well.
func Example() {
	ctx := context.Background()
	serverConfig, clientConfig := exampleConfigs()
	a, b := memory.Pipe(nil)

	done := make(chan struct{})
	go func() {
		defer close(done)
		server, err := tls.WrapServer(ctx, b, serverConfig, nil)
		if err != nil {
			log.Fatal(err)
		}
		defer server.Close()
		if _, err := server.Send(ctx, []byte("hello")); err != nil {
			log.Fatal(err)
		}
	}()

	client, err := tls.WrapClient(ctx, a, clientConfig, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if version, ok := tls.Version.Lookup(client); ok {
		fmt.Println(version)
	}
	p := make([]byte, 100)
	for {
		n, err := client.Receive(ctx, p)
		if err == io.EOF {
			fmt.Println("the end")
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", p[:n])
	}
	<-done
	// Output:
	// TLS 1.3
	// hello
	// the end
}

// The server's half of a STARTTLS dialogue. What a client sends behind the
// command, in the hope that it is taken for a part of the session, ends the
// connection.
func ExampleUpgradeServer() {
	ctx := context.Background()
	serverConfig, _ := exampleConfigs()
	a, b := memory.Pipe(nil)
	defer a.Close()
	if _, err := a.Send(ctx, []byte("STARTTLS\r\nRSET\r\n")); err != nil {
		log.Fatal(err)
	}

	s := buffered.New(b, nil)
	line, err := s.ReceiveUntil(ctx, []byte("\r\n"), 512)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", line)
	if _, err := s.Send(ctx, []byte("220 go ahead\r\n")); err != nil {
		log.Fatal(err)
	}
	_, err = tls.UpgradeServer(ctx, s, serverConfig, nil)
	fmt.Println(err)
	// Output:
	// STARTTLS
	// tls: plaintext is unread at the upgrade: 6 bytes
}

// A session that ends before the connection does.
func ExampleConn_Unwrap() {
	ctx := context.Background()
	serverConfig, clientConfig := exampleConfigs()
	a, b := memory.Pipe(nil)

	done := make(chan struct{})
	go func() {
		defer close(done)
		server, err := tls.WrapServer(ctx, b, serverConfig, nil)
		if err != nil {
			log.Fatal(err)
		}
		plain, err := server.Unwrap(ctx)
		if err != nil {
			log.Fatal(err)
		}
		defer plain.Close()
		if _, err := plain.Send(ctx, []byte("in plaintext again")); err != nil {
			log.Fatal(err)
		}
	}()

	client, err := tls.WrapClient(ctx, a, clientConfig, nil)
	if err != nil {
		log.Fatal(err)
	}
	plain, err := client.Unwrap(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer plain.Close()
	p := make([]byte, 18)
	if err := plain.ReceiveExactly(ctx, p); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", p)
	<-done
	// Output: in plaintext again
}

// A listener does the handshakes. Those that fail are told to OnError.
func ExampleNewListener() {
	ctx := context.Background()
	serverConfig, clientConfig := exampleConfigs()
	below := memory.Listen(nil)
	failed := make(chan error, 1)
	ln := tls.NewListener(below, serverConfig, &tls.Options{
		HandshakeTimeout: 10 * time.Second,
		OnError:          func(_ stream.ByteStream, err error) { failed <- err },
	})
	defer ln.Close()

	go func() {
		lost, err := below.Connect(ctx)
		if err != nil {
			log.Fatal(err)
		}
		defer lost.Close()
		if _, err := lost.Send(ctx, []byte("GET / HTTP/1.1\r\n")); err != nil {
			log.Fatal(err)
		}
		s, err := below.Connect(ctx)
		if err != nil {
			log.Fatal(err)
		}
		client, err := tls.WrapClient(ctx, s, clientConfig, nil)
		if err != nil {
			log.Fatal(err)
		}
		defer client.Close()
	}()

	server, err := ln.Accept(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	name, err := tls.ServerName.Get(server)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("asked for", name)
	fmt.Println(<-failed)
	// Output:
	// asked for localhost
	// tls: handshake as server: first record does not look like a TLS handshake: received "GET / HTTP/1.1\r\n"
}

// A library that knows only the standard library's type gets it.
func ExampleConn_Std() {
	ctx := context.Background()
	serverConfig, clientConfig := exampleConfigs()
	a, b := memory.Pipe(nil)

	done := make(chan struct{})
	go func() {
		defer close(done)
		server, err := tls.WrapServer(ctx, b, serverConfig, nil)
		if err != nil {
			log.Fatal(err)
		}
		conn := server.Std() // a *crypto/tls.Conn
		defer conn.Close()
		if _, err := io.WriteString(conn, "written"); err != nil {
			log.Fatal(err)
		}
	}()

	client, err := tls.WrapClient(ctx, a, clientConfig, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	written, err := io.ReadAll(stream.NewReader(ctx, client))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", written)
	<-done
	// Output: written
}
