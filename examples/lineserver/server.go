package main

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/text"
	"github.com/strata-go/strata/tls"
)

const (
	maxClients = 1000             // further ones wait in the backlog
	maxLine    = 1024             // bytes
	patience   = time.Minute      // with a client that says nothing
	grace      = 10 * time.Second // for handlers, once the server is to stop
)

type server struct {
	tls *tls.Config
	log *slog.Logger
}

// serve serves the clients of ln until ctx is done.
func (srv *server) serve(ctx context.Context, ln *tcp.Listener) error {
	secure := tls.NewListener(ln, srv.tls, &tls.Options{
		OnError: func(s stream.ByteStream, err error) {
			srv.log.Warn("handshake failed", "peer", peer(s), "error", err)
		},
	})
	return listener.Serve(ctx, secure, srv.handle, &listener.Config[*tls.Conn]{
		Limit: maxClients,
		Grace: grace,
		OnError: func(_ context.Context, c *tls.Conn, err error) {
			srv.log.Warn("connection failed", "peer", peer(c), "error", err)
		},
	})
}

func (srv *server) handle(ctx context.Context, c *tls.Conn) error {
	version, _ := tls.Version.Lookup(c)
	srv.log.Info("connected", "peer", peer(c), "tls", version)
	return answer(ctx, c)
}

// peer finds the client's address below whatever p is.
func peer(p attr.Provider) netip.AddrPort {
	addr, _ := tcp.RemoteAddrPort.Lookup(p)
	return addr
}

// answer answers each line until the client has said its last, says nothing
// for too long, or the server is to stop.
func answer(ctx context.Context, c stream.ByteStream) error {
	s := text.New(c, nil)
	idle, stop := listener.Draining(ctx) // waits for lines; an answer may take until ctx is done
	defer stop()
	err := structured.FailAfter(idle, patience, func(waiting context.Context, scope *structured.Scope) error {
		for line, err := range s.Lines(waiting, maxLine) {
			if err != nil {
				return err
			}
			if err := s.Send(ctx, strings.ToUpper(line)+"\n"); err != nil {
				return err
			}
			scope.SetDeadline(time.Now().Add(patience))
		}
		return nil
	})
	if errors.Is(err, listener.ErrDraining) {
		err = s.Send(ctx, "going down\n")
	}
	if err != nil {
		return err
	}
	return s.SendEOF(ctx)
}
