package happyeyeballs_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/strata-go/strata/happyeyeballs"
)

// A dial function that knows one address only, such as net.Dialer with
// addresses instead of names, is all that Dial needs.
func ExampleDial() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	port := ln.Addr().(*net.TCPAddr).AddrPort().Port()

	var dialer net.Dialer
	conn, report, err := happyeyeballs.Dial(context.Background(), "localhost", port,
		func(ctx context.Context, c happyeyeballs.Candidate, _ func()) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", c.Addr.String())
		}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Println("connected to", report.Winner().Addr.Addr())
	// Output: connected to 127.0.0.1
}

// A resolver of one's own, here a table.
func ExampleResolver() {
	hosts := table{"db.internal": {netip.MustParseAddr("192.0.2.7")}}
	cfg := &happyeyeballs.Config{
		Resolver: hosts,
		Source:   func(netip.Addr) netip.Addr { return netip.MustParseAddr("192.0.2.1") },
	}
	_, _, err := happyeyeballs.Dial(context.Background(), "db.internal", 5432,
		func(context.Context, happyeyeballs.Candidate, func()) (net.Conn, error) {
			return nil, net.UnknownNetworkError("none")
		}, cfg)
	fmt.Println(err)
	// Output: happyeyeballs: db.internal: 192.0.2.7:5432: unknown network none
}

type table map[string][]netip.Addr

func (t table) Resolve(_ context.Context, q happyeyeballs.Query, answer func(happyeyeballs.Answer)) error {
	if q.Family != happyeyeballs.IPv6 {
		answer(happyeyeballs.Answer{Family: happyeyeballs.IPv4, Addrs: t[q.Host]})
	}
	return nil
}
