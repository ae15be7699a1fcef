package listener_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/endpoint"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// A line server over TLS over TCP. Each line comes back until the client ends
// its direction.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	addr, _ := tcp.LocalAddr.Lookup(ln)
	cfg, clientCfg := configs()

	served := make(chan error)
	go func() {
		err := listener.Serve(ctx, tls.NewListener(ln, cfg, nil), func(ctx context.Context, c *tls.Conn) error {
			client, _ := tcp.RemoteAddrPort.Lookup(c) // known to the TCP layer, below TLS
			proto, _ := tls.ALPN.Lookup(c)            // known to the TLS layer
			fmt.Println(client.Addr(), "speaks", proto)

			s := buffered.New(c, nil)
			for line, err := range s.Until(ctx, []byte("\r\n"), 512) {
				if err != nil {
					return err
				}
				if _, err := stream.SendBuffers(ctx, s, [][]byte{line, []byte("\r\n")}); err != nil {
					return err
				}
			}
			return s.SendEOF(ctx) // our direction only, by close_notify: the peer may go on
		}, nil)
		served <- err
	}()

	if err := talk(ctx, addr.String(), clientCfg); err != nil {
		fmt.Println(err)
	}
	stop()
	fmt.Println("served:", <-served)
	// Output:
	// 127.0.0.1 speaks lines
	// hello
	// served: <nil>
}

// talk sends a line, ends its direction and prints what comes back.
func talk(ctx context.Context, addr string, cfg *tls.Config) error {
	conn, err := tcp.Dial(ctx, addr, nil)
	if err != nil {
		return err
	}
	c, err := tls.WrapClient(ctx, conn, cfg, nil)
	if err != nil {
		return err
	}
	s := buffered.New(c, nil)
	defer s.Close()
	if _, err := s.Send(ctx, []byte("hello\r\n")); err != nil {
		return err
	}
	if err := s.SendEOF(ctx); err != nil {
		return err
	}
	for line, err := range s.Until(ctx, []byte("\r\n"), 512) {
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", line)
	}
	return nil
}

func configs() (server, client *tls.Config) {
	ca, err := testpki.New(time.Now())
	if err != nil {
		panic(err)
	}
	cert, err := ca.Issue(testpki.Server)
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"lines"}},
		&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", NextProtos: []string{"lines"}}
}

// A handler that could go on forever ends when the server is stopped.
func ExampleDraining() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ln := memory.Listen(nil)
	served := make(chan error)
	go func() {
		served <- listener.Serve(ctx, ln, func(ctx context.Context, c *memory.Conn) error {
			if _, err := c.Send(ctx, []byte("welcome")); err != nil {
				return err
			}
			idle, stop := listener.Draining(ctx)
			defer stop()
			_, err := c.Receive(idle, make([]byte, 64)) // the next command
			if errors.Is(err, listener.ErrDraining) {
				_, err = c.Send(ctx, []byte("going down"))
			}
			return err
		}, nil)
	}()

	c, err := ln.Connect(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	for chunk, err := range stream.Chunks(context.Background(), c, make([]byte, 32)) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s\n", chunk)
		stop()
	}
	fmt.Println("served:", <-served)
	// Output:
	// welcome
	// going down
	// served: <nil>
}

// One server on a TCP port and in memory, with one handler for both.
func ExampleMulti() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	port, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	addr, _ := tcp.LocalAddr.Lookup(port)
	inside := memory.Listen(nil)
	ln := listener.Multi(listener.Of(port), listener.Of(inside))

	served := make(chan error)
	go func() {
		served <- listener.Serve(ctx, ln, func(ctx context.Context, s stream.ByteStream) error {
			local, _ := netconn.LocalAddr.Lookup(s)
			_, err := s.Send(ctx, []byte("you came by "+local.Network()))
			return err
		}, nil)
	}()

	for _, c := range []stream.Connector[stream.ByteStream]{
		endpoint.Of(&tcp.Connector{Addr: addr.String()}), endpoint.Of(inside),
	} {
		s, err := c.Connect(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		greeting, err := io.ReadAll(stream.NewReader(ctx, s))
		fmt.Printf("%s %v\n", greeting, errors.Join(err, s.Close()))
	}
	stop()
	fmt.Println("served:", <-served)
	// Output:
	// you came by tcp <nil>
	// you came by memory <nil>
	// served: <nil>
}

// Prepare keeps a greeting that clients owe off the accept loop.
func ExamplePrepare() {
	ctx := context.Background()
	below := memory.Listen(nil)
	ln := listener.Prepare(below, func(ctx context.Context, c *memory.Conn) (*buffered.Stream, error) {
		s := buffered.New(c, nil)
		line, err := s.ReceiveUntil(ctx, []byte("\n"), 16)
		if err != nil {
			return nil, err
		}
		if string(line) != "HELLO" {
			return nil, errors.New("not a greeting")
		}
		return s, nil
	}, nil)
	defer ln.Close()

	for _, greeting := range []string{"", "HELLO\n"} { // the first one says nothing
		c, err := below.Connect(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer c.Close()
		if _, err := c.Send(ctx, []byte(greeting)); err != nil {
			fmt.Println(err)
			return
		}
	}
	s, err := ln.Accept(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("accepted the one that greeted")
	s.Close()
	// Output: accepted the one that greeted
}
