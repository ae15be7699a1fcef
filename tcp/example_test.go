package tcp_test

import (
	"context"
	"fmt"

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
