// Command policies sends two clients to two mail servers. One server does
// STARTTLS, the other does not; one client is strict and says nothing in
// plaintext but the dialogue itself, the other is opportunistic and would rather
// talk in plaintext than not at all, and knows that it does:
//
//	go run ./examples/policies
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/structured"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/tls/starttls"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "policies:", err)
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
	serverTLS := &tls.Config{Certificates: []tls.Certificate{cert}}
	clientTLS := &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}
	return structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		serving, stop := context.WithCancel(ctx)
		defer stop()
		for _, srv := range []server{{"modern", modern(serverTLS)}, {"old", old}} {
			addr, err := structured.Start(ctx, g, srv.name, func(_ context.Context, ready func(string)) error {
				return srv.serve(serving, ready)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "strict client, %s server: %s\n", srv.name, visit(ctx, addr, starttls.Required, clientTLS))
			fmt.Fprintf(out, "opportunistic client, %s server: %s\n", srv.name, visit(ctx, addr, starttls.Opportunistic, clientTLS))
		}
		return nil
	})
}

// visit has a client of the given policy meet the server at addr, and tells how
// that went.
func visit(ctx context.Context, addr string, policy starttls.Policy, cfg *tls.Config) string {
	conn, err := tcp.Dial(ctx, addr, nil)
	if err != nil {
		return err.Error()
	}
	smtp := starttls.SMTP{Name: "client.example", Policy: policy, TLS: cfg}
	s, err := smtp.Client(ctx, conn) // which owns conn, whatever comes of it
	if err != nil {
		return "error: " + err.Error()
	}
	defer s.Close()
	if why, ok := starttls.Plaintext.Lookup(s); ok {
		return "in plaintext: " + why.Error()
	}
	capabilities, _ := starttls.Capabilities.Lookup(s) // asked for again under TLS
	version, _ := tls.Version.Lookup(s)
	return fmt.Sprintf("under %v, the server can %q", version, capabilities)
}

// A server is a mail server of sorts.
type server struct {
	name   string
	handle func(context.Context, *tcp.Conn) error
}

func (srv server) serve(ctx context.Context, ready func(addr string)) error {
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return err
	}
	addr, err := netconn.LocalAddr.Get(ln)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	ready(addr.String())
	return listener.Serve(ctx, ln, srv.handle, nil)
}

// modern is the handler of a server that wants TLS of everybody.
func modern(cfg *tls.Config) func(context.Context, *tcp.Conn) error {
	smtp := starttls.SMTP{Name: "mail.example", TLS: cfg}
	return func(ctx context.Context, conn *tcp.Conn) error {
		s, err := smtp.Server(ctx, conn)
		if err == io.EOF {
			return nil // the client left
		} else if err != nil {
			return err
		}
		return answer(ctx, s)
	}
}

// old is the handler of a server that knows nothing of TLS.
func old(ctx context.Context, conn *tcp.Conn) error {
	s := buffered.New(conn, nil)
	if _, err := s.Send(ctx, []byte("220 old.example ESMTP\r\n")); err != nil {
		return err
	}
	return answer(ctx, s)
}

// answer answers every command alike, until the client leaves, and closes s.
func answer(ctx context.Context, s *buffered.Stream) error {
	for _, err := range s.Until(ctx, []byte("\r\n"), 512) {
		if err == nil {
			_, err = s.Send(ctx, []byte("250-mail.example\r\n250 SIZE 10000\r\n"))
		}
		if err != nil {
			return errors.Join(err, s.Close())
		}
	}
	return s.Close()
}
