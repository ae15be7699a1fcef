// Command lineserver answers each line in capitals, over TLS, and has what a
// server needs to stay up: limits on clients, lines and patience, a log of who
// was there, a certificate that is renewed while it runs, and an end in good
// order when SIGTERM or Ctrl-C comes. Alone it is its own client, under a
// certificate of its own; with one it serves:
//
//	go run ./examples/lineserver
//	go run ./examples/lineserver -addr 127.0.0.1:7000 -cert server.pem -key server.key
//	openssl s_client -quiet -connect 127.0.0.1:7000
package main

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/structured"
	"github.com/strata-go/strata/structured/signals"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/text"
	"github.com/strata-go/strata/tls"
)

func main() {
	err := signals.Scope(context.Background(), func(ctx context.Context) error {
		return run(ctx, os.Args[1:], os.Stdout)
	}, nil)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lineserver:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("lineserver", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:7000", "where to listen")
	cert := flags.String("cert", "", "PEM file of the certificate and its chain")
	key := flags.String("key", "", "PEM file of the key")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *cert == "" {
		return demo(ctx, out)
	}
	certs, err := tls.NewCertReloader(*cert, *key, nil)
	if err != nil {
		return err
	}
	ln, err := tcp.Listen(ctx, *addr, nil)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(out, nil))
	bound, _ := tcp.LocalAddrPort.Lookup(ln)
	log.Info("listening", "addr", bound)
	srv := &server{tls: &tls.Config{GetCertificate: certs.GetCertificate}, log: log}
	return srv.serve(ctx, ln)
}

// demo serves one client, and stops while that waits.
func demo(ctx context.Context, out io.Writer) error {
	ca, err := testpki.New(time.Now())
	if err != nil {
		return err
	}
	cert, err := ca.Issue(testpki.Server)
	if err != nil {
		return err
	}
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return err
	}
	addr, _ := tcp.LocalAddrPort.Lookup(ln)
	srv := &server{tls: &tls.Config{Certificates: []tls.Certificate{cert}}, log: slog.New(slog.DiscardHandler)}
	return structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		serving, stop := context.WithCancel(ctx)
		defer stop()
		g.Go("server", func(context.Context) error { return srv.serve(serving, ln) })
		return ask(ctx, out, addr.String(), ca.Pool(), stop)
	})
}

// ask says hello and prints every answer; got is called after each.
func ask(ctx context.Context, out io.Writer, addr string, roots *x509.CertPool, got func()) error {
	conn, err := tcp.Dial(ctx, addr, nil)
	if err != nil {
		return err
	}
	c, err := tls.WrapClient(ctx, conn, &tls.Config{RootCAs: roots, ServerName: "localhost"}, nil)
	if err != nil {
		return err
	}
	s := text.New(c, nil)
	defer s.Close()
	if err := s.Send(ctx, "hello\n"); err != nil {
		return err
	}
	for line, err := range s.Lines(ctx, maxLine) {
		if err != nil {
			return err
		}
		fmt.Fprintln(out, line)
		got()
	}
	return nil
}
