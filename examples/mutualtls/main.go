// Command mutualtls is a server that asks its clients for certificates and greets
// each by the names in its own, and clients with one, another and none:
//
//	go run ./examples/mutualtls
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
	"github.com/strata-go/strata/tls"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutualtls:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	ca, err := testpki.New(time.Now())
	if err != nil {
		return err
	}
	cert, err := ca.Issue(testpki.Server)
	if err != nil {
		return err
	}
	below := memory.Listen(nil)
	ln := tls.NewListener(below, &tls.Config{
		Certificates: []tls.Certificate{cert},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    ca.Pool(),
	}, nil)
	return structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		serving, stop := context.WithCancel(ctx)
		defer stop()
		g.Go("server", func(context.Context) error { return listener.Serve(serving, ln, greet, nil) })
		for _, name := range []string{"alice.example", "bob.example", ""} {
			cfg := &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}
			if name != "" {
				own, err := ca.Issue(testpki.Leaf{Names: []string{name}, Client: true})
				if err != nil {
					return err
				}
				cfg.Certificates = []tls.Certificate{own}
			}
			greeting, err := visit(ctx, &tls.Connector[*memory.Conn]{Below: below, Config: cfg})
			if err != nil {
				greeting = "no greeting: " + err.Error()
			}
			fmt.Fprintln(out, greeting)
		}
		return nil
	})
}

// greet reads the client's identity from the session, as any layer above it
// could: the certificate was verified in the handshake.
func greet(ctx context.Context, s *tls.Conn) error {
	cert, err := tls.PeerCertificate.Get(s)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(stream.NewWriter(ctx, s), "hello %s", strings.Join(cert.DNSNames, ", ")); err != nil {
		return err
	}
	return stream.Shutdown(ctx, s)
}

// visit returns what the server says. In TLS 1.3 a client that is refused learns
// it only then: its own handshake is over before the server has seen its
// certificate.
func visit(ctx context.Context, c stream.Connector[*tls.Conn]) (string, error) {
	s, err := c.Connect(ctx)
	if err != nil {
		return "", err
	}
	greeting, err := io.ReadAll(stream.NewReader(ctx, s))
	if err != nil {
		return "", errors.Join(err, s.Close())
	}
	return string(greeting), stream.Shutdown(ctx, s)
}
