package tcp_test

import (
	"context"
	"fmt"
	"time"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
)

func Example() {
	ctx := context.Background()
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	addr, _ := tcp.LocalAddr.Lookup(ln)

	client, err := tcp.Dial(ctx, addr.String(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	server, err := ln.Accept(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	if _, err := client.Send(ctx, []byte("hello")); err != nil {
		fmt.Println(err)
		return
	}
	if err := client.SendEOF(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for chunk, err := range stream.Chunks(ctx, server, make([]byte, 64)) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s\n", chunk)
	}

	from, _ := tcp.RemoteAddrPort.Lookup(server)
	to, _ := tcp.LocalAddrPort.Lookup(client)
	fmt.Println("the server sees the client's address:", from == to)
	// Output:
	// hello
	// the server sees the client's address: true
}

// A name may have several addresses, for each of which there is a socket.
func ExampleListen() {
	ctx := context.Background()
	ln, err := tcp.Listen(ctx, "localhost:0", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	ports := map[uint16]bool{}
	for addr, err := range tcp.LocalAddrPort.All(ln) { // 127.0.0.1, and ::1 if the name has it
		if err != nil {
			fmt.Println(err)
			return
		}
		ports[addr.Port()] = true
	}
	fmt.Println("ports:", len(ports))
	// Output:
	// ports: 1
}

func ExampleDial() {
	ctx := context.Background()
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	addr, _ := tcp.LocalAddr.Lookup(ln)
	c, err := tcp.Dial(ctx, addr.String(), &tcp.DialConfig{
		Options: tcp.Options{KeepAlive: time.Minute, Nagle: true},
		Race:    happyeyeballs.Config{AttemptTimeout: 5 * time.Second},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	remote, _ := tcp.RemoteAddr.Lookup(c)
	fmt.Println(remote.String() == addr.String())
	if info, ok := tcp.Info.Lookup(c); ok && info.CongestionWindow == 0 { // Linux
		fmt.Println("no congestion window?")
	}
	// Output: true
}
