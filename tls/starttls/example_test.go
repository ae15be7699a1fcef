package starttls_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/tls/starttls"
)

// withoutTLS plays a server that offers no TLS to one client.
func withoutTLS(ctx context.Context, conn *memory.Conn) {
	defer conn.Close()
	for _, line := range []string{"220 mail.example ESMTP\r\n", "250-mail.example\r\n250 SIZE 1000\r\n"} {
		if _, err := conn.Send(ctx, []byte(line)); err != nil {
			return
		}
	}
	rest(ctx, conn)
}

// A mail client that has TLS, or an error, before it says anything else.
func ExampleSMTP_Client() {
	p, err := usual()
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	conn, server := memory.Pipe(nil) // tcp.Dial's in real life
	done := make(chan error, 1)
	go func() { done <- mailServer(ctx, server, &tls.Config{Certificates: []tls.Certificate{p.server}}) }()

	s, err := starttls.SMTP{
		Name: "client.example",
		TLS:  &tls.Config{RootCAs: p.ca.Pool(), ServerName: "localhost"}, // after tcp.Dial the name need not be given
	}.Client(ctx, conn)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	fmt.Println(tls.Version.Get(s))

	// The greeting is over and EHLO was said: go on with MAIL, or AUTH.
	if _, err := s.Send(ctx, []byte("MAIL FROM:<me@client.example>\r\n")); err != nil {
		log.Fatal(err)
	}
	reply, err := s.ReceiveUntil(ctx, []byte("\r\n"), 512)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", reply)
	fmt.Println(stream.Shutdown(ctx, s), <-done)
	// Output:
	// TLS 1.3 <nil>
	// 250 ok
	// <nil> <nil>
}

// mailServer says ok to whatever comes under TLS.
func mailServer(ctx context.Context, conn *memory.Conn, cfg *tls.Config) error {
	s, err := starttls.SMTP{Name: "mail.example", TLS: cfg}.Server(ctx, conn)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, err := range s.Until(ctx, []byte("\r\n"), 512) {
		if err != nil {
			return err
		}
		if _, err := s.Send(ctx, []byte("250 ok\r\n")); err != nil {
			return err
		}
	}
	return nil
}

// A client that rather talks in plaintext than not at all.
func ExampleSMTP_Client_opportunistic() {
	ctx := context.Background()
	conn, server := memory.Pipe(nil)
	done := make(chan struct{})
	go func() { defer close(done); withoutTLS(ctx, server) }()

	s, err := starttls.SMTP{Name: "client.example", Policy: starttls.Opportunistic}.Client(ctx, conn)
	if err != nil {
		log.Fatal(err)
	}
	if why, ok := starttls.Plaintext.Lookup(s); ok {
		fmt.Println("in plaintext:", why)
	}
	size, _ := starttls.Capabilities.Get(s)
	fmt.Println(size.Param("size"))
	fmt.Println(s.Close())
	<-done
	// Output:
	// in plaintext: the server does not offer TLS
	// 1000 true
	// <nil>
}

// A client that would rather not talk at all than in plaintext.
func ExampleSMTP_Client_required() {
	ctx := context.Background()
	conn, server := memory.Pipe(nil)
	done := make(chan struct{})
	go func() { defer close(done); withoutTLS(ctx, server) }()

	_, err := starttls.SMTP{Name: "client.example"}.Client(ctx, conn)
	if e, ok := errors.AsType[*starttls.UnavailableError](err); ok {
		fmt.Println(e.Protocol, "-", e.Reason)
	}
	<-done
	// Output: SMTP - the server does not offer TLS
}

// A POP3 server that answers under TLS only, in a handler of listener.Serve.
func ExamplePOP3_Server() {
	p, err := usual()
	if err != nil {
		log.Fatal(err)
	}
	protocol := starttls.POP3{Name: "mail.example", TLS: &tls.Config{Certificates: []tls.Certificate{p.server}}}
	handle := func(ctx context.Context, conn *memory.Conn) error {
		s, err := protocol.Server(ctx, conn)
		if err == io.EOF {
			return nil // the client left without TLS
		} else if err != nil {
			return err
		}
		defer s.Close()
		for line, err := range s.Until(ctx, []byte("\r\n"), 512) {
			if err != nil {
				return err
			}
			reply := "-ERR what?\r\n"
			if strings.EqualFold(string(line), "CAPA") {
				reply = "+OK\r\nUSER\r\n.\r\n"
			}
			if _, err := s.Send(ctx, []byte(reply)); err != nil {
				return err
			}
		}
		return nil
	}

	ctx, stop := context.WithCancel(context.Background())
	ln := memory.Listen(nil)
	done := make(chan error, 1)
	go func() { done <- listener.Serve(ctx, ln, handle, nil) }()

	conn, err := ln.Connect(ctx)
	if err != nil {
		log.Fatal(err)
	}
	s, err := starttls.POP3{TLS: &tls.Config{RootCAs: p.ca.Pool(), ServerName: "localhost"}}.Client(ctx, conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tls.Version.Get(s))
	fmt.Println(starttls.Capabilities.Get(s))
	fmt.Println(s.Close())
	stop()
	fmt.Println(<-done)
	// Output:
	// TLS 1.3 <nil>
	// [USER] <nil>
	// <nil>
	// <nil>
}
