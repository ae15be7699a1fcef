package quic_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/udp"
)

// exampleTLS makes what a server and a client of the examples are configured
// with.
func exampleTLS(proto string) (server, client *tls.Config) {
	ca, err := testpki.New(time.Now())
	if err != nil {
		log.Fatal(err)
	}
	cert, err := ca.Issue(testpki.Server)
	if err != nil {
		log.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{proto}},
		&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", NextProtos: []string{proto}}
}

// exampleConns makes the ends of a connection.
func exampleConns(ctx context.Context, cfg *quic.Config) (client, server *quic.Conn) {
	serverTLS, clientTLS := exampleTLS("example")
	ln, err := quic.Listen(ctx, "127.0.0.1:0", serverTLS, cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	addr, _ := quic.LocalAddr.Lookup(ln)
	if client, err = quic.Dial(ctx, addr.String(), clientTLS, cfg); err != nil {
		log.Fatal(err)
	}
	if server, err = ln.Accept(ctx); err != nil {
		log.Fatal(err)
	}
	return client, server
}

// A server handles streams, whatever connections they came by.
func Example() {
	ctx := context.Background()
	serverTLS, clientTLS := exampleTLS("echo")
	ln, err := quic.Listen(ctx, "127.0.0.1:0", serverTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	addr, _ := quic.LocalAddr.Lookup(ln)
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() {
		served <- listener.Serve(serving, quic.NewStreamListener(ln, nil), func(ctx context.Context, s *quic.Stream) error {
			if _, err := stream.Copy(ctx, s, s); err != nil {
				return err
			}
			return s.SendEOF(ctx)
		}, nil)
	}()

	conn, err := quic.Dial(ctx, addr.String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, word := range []string{"one stream", "and another"} {
		s, err := conn.OpenStream(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := s.Send(ctx, []byte(word)); err != nil {
			log.Fatal(err)
		}
		if err := s.SendEOF(ctx); err != nil { // ours only: the answer is yet to come
			log.Fatal(err)
		}
		answer, err := io.ReadAll(stream.NewReader(ctx, s))
		if err != nil {
			log.Fatal(err)
		}
		id, _ := quic.ID.Lookup(s)
		proto, _ := tls.ALPN.Lookup(s)
		fmt.Printf("%s %d: %s\n", proto, id, answer)
		s.Close()
	}
	conn.Close()
	stop()
	if err := <-served; err != nil {
		log.Fatal(err)
	}
	// Output:
	// echo 0: one stream
	// echo 4: and another
}

// What a peer gave up it says by a number of the application's.
func ExampleCode() {
	const overloaded = quic.Code(0x107)
	ctx := context.Background()
	client, server := exampleConns(ctx, nil)
	defer client.Close()
	defer server.Close()

	s, err := client.OpenStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Send(ctx, []byte("question")); err != nil {
		log.Fatal(err)
	}
	asked, err := server.AcceptStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := stream.Abort(asked, overloaded); err != nil {
		log.Fatal(err)
	}

	_, err = s.Receive(ctx, make([]byte, 100))
	if reset, ok := errors.AsType[*quic.StreamError](err); ok && reset.Code == overloaded {
		fmt.Println("the server is overloaded")
	}
	fmt.Println(errors.Is(err, stream.ErrBroken), err == io.EOF)
	// Output:
	// the server is overloaded
	// true false
}

// A transport dials from the socket that it listens on, so that a peer of
// its own kind knows it by one address.
func ExampleTransport() {
	ctx := context.Background()
	serverTLS, clientTLS := exampleTLS("peers")
	open := func() (*quic.Transport, *quic.Listener) {
		socket, err := udp.Listen(ctx, "127.0.0.1:0", nil)
		if err != nil {
			log.Fatal(err)
		}
		t := quic.NewTransport(socket, nil)
		ln, err := t.Listen(ctx, serverTLS, nil)
		if err != nil {
			log.Fatal(err)
		}
		return t, ln
	}
	here, _ := open()
	defer here.Close()
	there, ln := open()
	defer there.Close()

	addr, _ := quic.LocalAddr.Lookup(there)
	if _, err := here.Dial(ctx, addr, clientTLS, nil); err != nil {
		log.Fatal(err)
	}
	peer, err := ln.Accept(ctx)
	if err != nil {
		log.Fatal(err)
	}
	from, _ := quic.RemoteAddr.Lookup(peer)
	listening, _ := quic.LocalAddr.Lookup(here)
	fmt.Println(from.String() == listening.String())
	// Output: true
}

// Packets need not arrive, and need not wait for each other.
func ExampleConn_Packets() {
	ctx := context.Background()
	client, server := exampleConns(ctx, &quic.Config{Packets: true})
	defer client.Close()
	defer server.Close()

	if err := client.Packets().Send(ctx, []byte("x=1 y=2")); err != nil {
		log.Fatal(err)
	}
	packet, err := server.Packets().Receive(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", packet)
	// Output: x=1 y=2
}
