// Command certreload is a server whose certificate is renewed while it runs: a
// client that comes before gets the old one, a client that comes after the new
// one, and the first goes on undisturbed.
//
//	go run ./examples/certreload
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/structured"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "certreload:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "certreload")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ca, err := testpki.New(time.Now())
	if err != nil {
		return err
	}
	renew := func(name string) error { return install(dir, ca, name) }
	if err := renew("first"); err != nil {
		return err
	}
	certs, err := tls.NewCertReloader(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"), &tls.ReloadConfig{
		Interval: -1, // look at each handshake; the default is every 10 s
		OnReload: func(_ *tls.Certificate, err error) { fmt.Fprintln(out, "reloaded, error:", err) },
	})
	if err != nil {
		return err
	}
	below, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return err
	}
	ln := tls.NewListener(below, &tls.Config{GetCertificate: certs.GetCertificate}, nil)
	return structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		serving, stop := context.WithCancel(ctx)
		defer stop()
		g.Go("server", func(context.Context) error { return listener.Serve(serving, ln, echo, nil) })
		addr, err := netconn.LocalAddr.Get(ln)
		if err != nil {
			return err
		}
		return visits(ctx, out, &tls.Connector[*tcp.Conn]{
			Below:  &tcp.Connector{Addr: addr.String()},
			Config: &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"},
		}, renew)
	})
}

// visits connects twice, with a renewal in between.
func visits(ctx context.Context, out io.Writer, c stream.Connector[*tls.Conn], renew func(name string) error) error {
	first, err := c.Connect(ctx)
	if err != nil {
		return err
	}
	defer first.Close()
	if err := renew("second"); err != nil {
		return err
	}
	second, err := c.Connect(ctx)
	if err != nil {
		return err
	}
	defer second.Close()
	return errors.Join(talk(ctx, out, first), talk(ctx, out, second))
}

// talk prints the name in the server's certificate, and that the session works.
func talk(ctx context.Context, out io.Writer, s *tls.Conn) error {
	cert, err := tls.PeerCertificate.Get(s)
	if err != nil {
		return err
	}
	if _, err := s.Send(ctx, []byte("still here")); err != nil {
		return err
	}
	p := make([]byte, 16)
	n, err := s.Receive(ctx, p)
	fmt.Fprintf(out, "%s: %s\n", cert.Subject.CommonName, p[:n])
	return err
}

func echo(ctx context.Context, s *tls.Conn) error {
	_, err := stream.Copy(ctx, s, s)
	return err
}

// install writes a new certificate and moves it into place, as tools that renew
// certificates do, so that nobody reads half of one.
func install(dir string, ca *testpki.CA, name string) error {
	cert, err := ca.Issue(testpki.Leaf{Names: []string{name, "localhost"}})
	if err != nil {
		return err
	}
	certFile, keyFile, err := testpki.WritePEM(dir, "new", cert)
	if err != nil {
		return err
	}
	return errors.Join(
		os.Rename(certFile, filepath.Join(dir, "server.pem")),
		os.Rename(keyFile, filepath.Join(dir, "server.key")),
	)
}
