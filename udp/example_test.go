package udp_test

import (
	"context"
	"fmt"

	"github.com/strata-go/strata/udp"
)

func Example() {
	ctx := context.Background()
	server, err := udp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	addr, _ := udp.LocalAddrPort.Lookup(server)
	client, err := udp.Dial(ctx, addr.String(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	if err := client.Send(ctx, udp.Packet{Data: []byte("ping")}); err != nil {
		fmt.Println(err)
		return
	}
	p, err := server.Receive(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	p.Data = append(p.Data, " and pong"...)
	if err := server.Send(ctx, p); err != nil { // to where it came from
		fmt.Println(err)
		return
	}
	answer := udp.Packet{Data: make([]byte, 1500)}
	if err := client.ReceiveInto(ctx, &answer); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", answer.Data)
	// Output: ping and pong
}
