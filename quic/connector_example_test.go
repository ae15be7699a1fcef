package quic_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// The server here has TLS and no QUIC. A client that speaks both need not know.
func ExampleConnector() {
	ctx := context.Background()
	ca, err := testpki.New(time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	cert, err := ca.Issue(testpki.Server)
	if err != nil {
		fmt.Println(err)
		return
	}
	below, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ln := tls.NewListener(below, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"dot"}}, nil)
	defer ln.Close()
	go ln.Accept(ctx) // ends with the listener
	addr, _ := tcp.LocalAddrPort.Lookup(ln)

	c := &quic.Connector{
		Addr: net.JoinHostPort("localhost", fmt.Sprint(addr.Port())),
		Service: happyeyeballs.Service{Protocols: []happyeyeballs.Protocol{
			{ALPN: "doq", Transport: happyeyeballs.QUIC},
			{ALPN: "dot", Transport: happyeyeballs.TCP},
		}},
		TLS: &tls.Config{RootCAs: ca.Pool()},
	}
	s, err := c.Connect(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	over, _ := quic.Over.Lookup(s)
	protocol, _ := tls.ALPN.Lookup(s)
	race, _ := quic.Race.Lookup(s)
	fmt.Println("over", over, "with", protocol)
	for _, a := range race.Attempts {
		if a.Addr.Addr().Is4() {
			fmt.Println(a.Transport, a.Outcome)
		}
	}
	// Output:
	// over tcp with dot
	// quic canceled
	// tcp won
}
