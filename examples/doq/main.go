// Command doq is a server of DNS over QUIC (RFC 9250) and a client for it: a
// stream for each query, and every message behind its length. The server is
// server.go alone. Without an argument the command asks itself; with an address
// it serves:
//
//	go run ./examples/doq 127.0.0.1:8853
//	kdig @127.0.0.1 -p 8853 strata.test AAAA +quic
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/structured"
	"github.com/strata-go/strata/structured/signals"
	"github.com/strata-go/strata/tls"
)

func main() {
	err := signals.Scope(context.Background(), func(ctx context.Context) error {
		return run(ctx, os.Args[1:], os.Stdout)
	}, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, "doq:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	ca, err := testpki.New(time.Now())
	if err != nil {
		return err
	}
	cert, err := ca.Issue(testpki.Server)
	if err != nil {
		return err
	}
	ln, err := listen(ctx, append(args, "127.0.0.1:0")[0], cert)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		return serve(ctx, ln)
	}
	return structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		g.GoService("server", func(ctx context.Context) error { return serve(ctx, ln) })
		addr, _ := quic.LocalAddr.Lookup(ln)
		found, err := ask(ctx, addr.String(), &tls.Config{RootCAs: ca.Pool(), NextProtos: protocols}, known)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, known.Name, found)
		return err
	})
}
