// Command tlsanywhere runs the same two ends of a TLS session over a UNIX socket
// and over memory: TLS needs a byte stream below, and asks no more of it.
//
//	go run ./examples/tlsanywhere
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
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/structured"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/unix"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "tlsanywhere:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	server, client, err := configs()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tlsanywhere")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "socket")
	socket, err := unix.Listen(ctx, path, nil)
	if err != nil {
		return err
	}
	if err := converse(ctx, out, tls.NewListener(socket, server, nil), &tls.Connector[*unix.Conn]{
		Below: &unix.Connector{Name: path}, Config: client,
	}); err != nil {
		return err
	}
	pipes := memory.Listen(nil)
	return converse(ctx, out, tls.NewListener(pipes, server, nil), &tls.Connector[*memory.Conn]{
		Below: pipes, Config: client,
	})
}

// configs returns what the two ends need, under an authority that nobody keeps.
func configs() (server, client *tls.Config, err error) {
	ca, err := testpki.New(time.Now())
	if err != nil {
		return nil, nil, err
	}
	cert, err := ca.Issue(testpki.Server)
	return &tls.Config{Certificates: []tls.Certificate{cert}}, &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}, err
}

// converse serves one client, which says something and prints what comes back.
func converse(ctx context.Context, out io.Writer, ln *tls.Listener, c stream.Connector[*tls.Conn]) error {
	return structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		serving, stop := context.WithCancel(ctx)
		defer stop()
		g.Go("server", func(context.Context) error { return listener.Serve(serving, ln, echo, nil) })
		s, err := c.Connect(ctx)
		if err != nil {
			return err
		}
		return errors.Join(say(ctx, out, s), stream.Shutdown(ctx, s))
	})
}

func echo(ctx context.Context, s *tls.Conn) error {
	if _, err := stream.Copy(ctx, s, s); err != nil {
		return err
	}
	return stream.Shutdown(ctx, s) // answers close_notify with ours
}

func say(ctx context.Context, out io.Writer, s *tls.Conn) error {
	if _, err := s.Send(ctx, []byte("hello")); err != nil {
		return err
	}
	p := make([]byte, 16)
	n, err := s.Receive(ctx, p)
	if err != nil {
		return err
	}
	version, _ := tls.Version.Lookup(s)
	remote, _ := netconn.RemoteAddr.Lookup(s) // of the layer below
	fmt.Fprintf(out, "%q over %v over %s\n", p[:n], version, remote.Network())
	return nil
}
