package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// sessionTimeout bounds a session from its greeting to its end.
const sessionTimeout = 5 * time.Minute

// A server is what all sessions share.
type server struct {
	name    string
	tls     *tls.Config
	deliver func(message) error
	log     *slog.Logger
	out     *printer
}

// serve runs sessions until ctx is done.
func (srv *server) serve(ctx context.Context, ln *tcp.Listener) error {
	return listener.Serve(ctx, ln, srv.handle, &listener.Config[*tcp.Conn]{Limit: 1000, Logger: srv.log})
}

func (srv *server) handle(ctx context.Context, conn *tcp.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, sessionTimeout)
	defer cancel()
	ses := &session{server: srv, s: buffered.New(conn, nil)}
	err := ses.run(ctx)
	// ses.s is whatever the session ended on: the plaintext stream or the
	// one under TLS.
	return closeAfter(ses.s, err)
}

func (srv *server) print(title string, p attr.Provider) { srv.out.attributes(title, p) }

func serveCommand(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("starttls serve", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:2525", "`address` to listen on")
	cert := flags.String("cert", "", "`file` with the certificate chain, PEM (default: a throw-away certificate)")
	key := flags.String("key", "", "`file` with the certificate's key, PEM")
	caOut := flags.String("write-ca", "", "`file` to write the throw-away authority's certificate to")
	name := flags.String("name", "localhost", "host `name` to greet with")
	if err := parse(flags, args); err != nil {
		return err
	}
	cfg, err := serverConfig(*cert, *key, *name, *caOut)
	if err != nil {
		return err
	}
	ln, err := tcp.Listen(ctx, *addr, nil)
	if err != nil {
		return err
	}
	show := &printer{w: out}
	show.line("server: listening on %v", addressOf(ln))
	srv := &server{name: *name, tls: cfg, deliver: show.message, log: slog.Default(), out: show}
	return srv.serve(ctx, ln)
}

func addressOf(p attr.Provider) string {
	addr, _ := tcp.LocalAddr.Lookup(p) // a TCP socket has one
	return addr.String()
}

// A printer lets sessions that run at the same time write one after the
// other.
type printer struct {
	mu sync.Mutex
	w  io.Writer
}

func (p *printer) attributes(title string, from attr.Provider) {
	p.mu.Lock()
	defer p.mu.Unlock()
	printAttributes(p.w, title, from)
}

func (p *printer) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, format+"\n", args...)
}

func (p *printer) message(m message) error {
	p.line("server: message from %s to %v, %d bytes:\n%s", m.From, m.To, len(m.Body), bytes.TrimSuffix(m.Body, crlf))
	return nil
}
