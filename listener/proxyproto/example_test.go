package proxyproto_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/strata-go/strata/listener/proxyproto"
	"github.com/strata-go/strata/tcp"
)

// A server behind a proxy knows its clients.
func Example() {
	ctx := context.Background()
	below, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ln := proxyproto.NewListener(below, &proxyproto.Config{
		Trust: proxyproto.From(netip.MustParsePrefix("127.0.0.0/8")),
	})
	defer ln.Close()

	// The proxy, which has a client of its own.
	addr, _ := tcp.LocalAddr.Lookup(ln)
	proxy := proxyproto.NewConnector(&tcp.Connector{Addr: addr.String()}, func(*tcp.Conn) *proxyproto.Header {
		return &proxyproto.Header{Source: tcpAddr("192.0.2.1:56660"), Destination: tcpAddr("203.0.113.2:443")}
	})
	c, err := proxy.Connect(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	s, err := ln.Accept(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	for addr, err := range tcp.RemoteAddrPort.All(s) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(addr.Addr())
	}
	// Output:
	// 192.0.2.1
	// 127.0.0.1
}

// A relay passes its client on.
func ExampleOf() {
	ctx := context.Background()
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	addr, _ := tcp.LocalAddr.Lookup(ln)
	c, err := tcp.Dial(ctx, addr.String(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	client, err := ln.Accept(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	h := proxyproto.Of(client)
	source, _ := tcp.LocalAddr.Lookup(c)
	fmt.Println(h.Source.String() == source.String())
	h.Version = 1 // for a server that does not know version 2
	line, err := h.Append(nil)
	fmt.Printf("%.10s %v\n", line, err)
	// Output:
	// true
	// PROXY TCP4 <nil>
}
