// Command happyeyeballs connects to hosts as they are found on the Internet,
// with tcp.Dial and with net.Dialer in turns, and prints how long each took
// beside what RFC 8305 gives it:
//
//	go -C bench run ./happyeyeballs
//
// The hosts are in a network namespace, with a DNS server and a firewall that
// misbehave as the case demands. That needs Linux, the programs ip and nft, and
// root or user namespaces. The system's resolver waits 2 s for an answer and
// tries twice; every dial has 16 s.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"time"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/testnet"
	"github.com/strata-go/strata/tcp"
)

const deadline = 16 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "happyeyeballs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	if !testnet.Inside() {
		return testnet.Run(ctx, nil, out, os.Stderr)
	}
	host, err := testnet.Up()
	if err != nil {
		return err
	}
	defer host.Close()
	dns, err := happyeyeballs.NewDNSResolver(nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-36s %9s %12s %12s %12s\n", "", "RFC 8305", "tcp.Dial", "own DNS", "net.Dialer")
	for _, s := range testnet.Scenarios {
		addr := net.JoinHostPort(s.Host, strconv.Itoa(int(host.Port)))
		fmt.Fprintf(out, "%-36s %9v %12s %12s %12s\n", s.Name, s.Want,
			measure(ctx, func(ctx context.Context) error { return dialOurs(ctx, addr, nil) }),
			measure(ctx, func(ctx context.Context) error { return dialOurs(ctx, addr, dns) }),
			measure(ctx, func(ctx context.Context) error { return dialTheirs(ctx, addr) }))
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func dialOurs(ctx context.Context, addr string, r happyeyeballs.Resolver) error {
	c, err := tcp.Dial(ctx, addr, &tcp.DialConfig{Race: happyeyeballs.Config{Resolver: r}})
	if err != nil {
		return err
	}
	return c.Close()
}

func dialTheirs(ctx context.Context, addr string) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return c.Close()
}

// measure returns how long a dial took, and that it failed if it did.
func measure(ctx context.Context, dial func(context.Context) error) string {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	start := time.Now()
	err := dial(ctx)
	took := fmt.Sprintf("%.1f ms", float64(time.Since(start))/float64(time.Millisecond))
	if err != nil {
		return took + " FAILED"
	}
	return took
}
