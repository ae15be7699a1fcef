package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/structured"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// errDone ends the demo's server when its client is.
var errDone = errors.New("demo over")

// demo runs both ends over loopback, under an authority that lives as long.
func demo(ctx context.Context, out io.Writer) error {
	cfg, roots, err := throwAway("localhost")
	if err != nil {
		return err
	}
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return err
	}
	show := &printer{w: out}
	srv := &server{name: "localhost", tls: cfg, deliver: show.message, log: slog.Default(), out: show}
	c := &client{
		name: "client.example",
		tls:  &tls.Config{RootCAs: roots, ServerName: "localhost"},
		out:  show,
	}
	return structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		serving, stop := context.WithCancelCause(ctx)
		g.Go("server", func(context.Context) error { return srv.serve(serving, ln) })
		defer stop(errDone)
		return c.send(ctx, addressOf(ln), sample("alice@client.example", "bob@server.example"))
	})
}

// serverConfig takes the certificate from files, or makes one.
func serverConfig(cert, key, name, caOut string) (*tls.Config, error) {
	switch {
	case (cert == "") != (key == ""):
		return nil, errors.New("-cert and -key go together")
	case cert != "" && caOut != "":
		return nil, errors.New("-write-ca is for a throw-away certificate, and -cert names another")
	case cert != "":
		pair, err := tls.LoadX509KeyPair(cert, key)
		return &tls.Config{Certificates: []tls.Certificate{pair}}, err
	}
	ca, cfg, err := newAuthority(name)
	if err != nil || caOut == "" {
		return cfg, err
	}
	block := &pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate().Raw}
	return cfg, os.WriteFile(caOut, pem.EncodeToMemory(block), 0o644)
}

func throwAway(name string) (*tls.Config, *x509.CertPool, error) {
	ca, cfg, err := newAuthority(name)
	if err != nil {
		return nil, nil, err
	}
	return cfg, ca.Pool(), nil
}

func newAuthority(name string) (*testpki.CA, *tls.Config, error) {
	ca, err := testpki.New(time.Now())
	if err != nil {
		return nil, nil, err
	}
	cert, err := ca.Issue(testpki.Leaf{Names: []string{name, "127.0.0.1", "::1"}})
	if err != nil {
		return nil, nil, err
	}
	return ca, &tls.Config{Certificates: []tls.Certificate{cert}}, nil
}
