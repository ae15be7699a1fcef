package netconn_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/tls"
)

// A net.Conn of any origin becomes a stream with a context on every call.
func ExampleWrap() {
	a, b := net.Pipe()
	s, peer := netconn.Wrap(a), netconn.Wrap(b)
	defer s.Close()
	defer peer.Close()

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	buf := make([]byte, 16)
	if _, err := s.Receive(ctx, buf); err != nil {
		fmt.Println(err)
	}
	addr, err := netconn.RemoteAddr.Get(s)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(addr)
	// Output:
	// context deadline exceeded
	// pipe
}

// A limited is a net.Conn of somebody else's library. That it tells what it
// wraps lets the kernel's facts about the socket through as well.
type limited struct{ net.Conn }

func (l limited) NetConn() net.Conn { return l.Conn }

// TLS goes over a foreign net.Conn, and what each layer knows is found from
// the top.
func ExampleWrap_tls() {
	ctx := context.Background()
	a, b, err := tcpPair(ctx) // a socket of package net, and its peer
	if err != nil {
		log.Fatal(err)
	}
	clientConfig, serverConfig := tlsConfigs()
	done := make(chan error, 1)
	go func() {
		server, err := tls.WrapServer(ctx, netconn.Wrap(b), serverConfig, nil)
		if err == nil {
			err = stream.Shutdown(ctx, server)
		}
		done <- err
	}()

	conn, err := tls.WrapClient(ctx, netconn.Wrap(limited{a}), clientConfig, nil)
	if err != nil {
		log.Fatal(err)
	}
	cert, err := tls.PeerCertificate.Get(conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cert.DNSNames[0])
	fmt.Println(tls.ALPN.Get(conn))
	peer, err := netconn.RemoteAddrPort.Get(conn)
	fmt.Println(peer.Addr(), err)
	family, err := netconn.NetFamily.Get(conn)
	fmt.Println(family, err)
	fmt.Println(stream.Shutdown(ctx, conn), <-done)
	// Output:
	// localhost
	// echo <nil>
	// 127.0.0.1 <nil>
	// ipv4 <nil>
	// <nil> <nil>
}

// A stream becomes a net.Conn for a library that wants one.
func ExampleFrom() {
	a, b := memory.Pipe(nil)
	conn, peer := netconn.From(a), netconn.From(b)
	defer conn.Close()

	fmt.Fprintln(peer, "hello")
	peer.Close()
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		log.Fatal(err)
	}
	p, err := io.ReadAll(conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", p)
	// Output: hello
}

// net/http serves over any listener of streams, and its client dials through
// any connector.
func ExampleFromListener() {
	ln := memory.Listen(nil)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "you asked %s for %s\n", r.Host, r.URL.Path)
	})}
	go server.Serve(netconn.FromListener(ln))
	defer server.Close()

	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			s, err := ln.Connect(ctx)
			if err != nil {
				return nil, err
			}
			return netconn.From(s), nil
		},
	}}
	defer client.CloseIdleConnections()
	res, err := client.Get("http://memory.example/path")
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", body)
	// Output: you asked memory.example for /path
}

// A listener of package net accepts with a context.
func ExampleWrapListener() {
	below, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	ln := netconn.WrapListener(below)
	defer ln.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = ln.Accept(ctx)
	fmt.Println(err)
	// Output: context deadline exceeded
}

// Detach hands the net.Conn on, without contexts and deadlines.
func ExampleStream_Detach() {
	a, b := net.Pipe()
	defer b.Close()
	s := netconn.Wrap(a)
	conn, err := s.Detach()
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(conn == a)
	// Output: true
}
