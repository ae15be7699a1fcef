package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/unix"
)

// A place is where the server listens, and the way there.
type place struct {
	name string
	ln   stream.Listener[stream.ByteStream]

	// connect returns a stream, and what closes that which it is part of.
	connect func(ctx context.Context) (s stream.ByteStream, closeBelow func() error, err error)
}

// open listens everywhere. The first place that cannot be opened ends it.
func open(ctx context.Context) (places []place, err error) {
	defer func() {
		if err != nil {
			for _, p := range places {
				err = errors.Join(err, p.ln.Close())
			}
			places = nil
		}
	}()
	server, client, err := configs()
	if err != nil {
		return nil, err
	}
	for _, listen := range []func() (place, error){
		func() (place, error) { return overTCP(ctx) },
		func() (place, error) { return overTLS(ctx, server, client) },
		func() (place, error) { return overUnix(ctx) },
		func() (place, error) { return overQUIC(ctx, server, client) },
		func() (place, error) { return overMemory(), nil },
	} {
		p, err := listen()
		if err != nil {
			return places, err
		}
		places = append(places, p)
	}
	return places, nil
}

// configs makes a certificate authority for the occasion.
func configs() (server, client *tls.Config, err error) {
	ca, err := testpki.New(time.Now())
	if err != nil {
		return nil, nil, err
	}
	cert, err := ca.Issue(testpki.Server)
	if err != nil {
		return nil, nil, err
	}
	protos := []string{"where"}
	return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: protos},
		&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", NextProtos: protos}, nil
}

// dialing is the connect of a place that c leads to.
func dialing[S stream.ByteStream](c stream.Connector[S]) func(context.Context) (stream.ByteStream, func() error, error) {
	return func(ctx context.Context) (stream.ByteStream, func() error, error) {
		s, err := c.Connect(ctx)
		if err != nil {
			return nil, nil, err
		}
		return s, s.Close, nil
	}
}

func overTCP(ctx context.Context) (place, error) {
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return place{}, err
	}
	addr, _ := tcp.LocalAddr.Lookup(ln)
	return place{"tcp", listener.Of(ln), dialing(&tcp.Connector{Addr: addr.String()})}, nil
}

func overTLS(ctx context.Context, server, client *tls.Config) (place, error) {
	below, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return place{}, err
	}
	addr, _ := tcp.LocalAddr.Lookup(below)
	c := &tls.Connector[*tcp.Conn]{Below: &tcp.Connector{Addr: addr.String()}, Config: client}
	return place{"tls", listener.Of(tls.NewListener(below, server, nil)), dialing(c)}, nil
}

func overUnix(ctx context.Context) (place, error) {
	dir, err := os.MkdirTemp("", "onehandler")
	if err != nil {
		return place{}, err
	}
	name := filepath.Join(dir, "socket")
	ln, err := unix.Listen(ctx, name, nil)
	if err != nil {
		return place{}, errors.Join(err, os.Remove(dir))
	}
	return place{"unix", folder{listener.Of(ln), dir}, dialing(&unix.Connector{Name: name})}, nil
}

// A folder is a listener with a directory of its own.
type folder struct {
	stream.Listener[stream.ByteStream]
	dir string
}

func (f folder) Close() error { return errors.Join(f.Listener.Close(), os.RemoveAll(f.dir)) }

func overQUIC(ctx context.Context, server, client *tls.Config) (place, error) {
	ln, err := quic.Listen(ctx, "127.0.0.1:0", server, nil)
	if err != nil {
		return place{}, err
	}
	addr, _ := quic.LocalAddr.Lookup(ln)
	connect := func(ctx context.Context) (stream.ByteStream, func() error, error) {
		c, err := quic.Dial(ctx, addr.String(), client, nil)
		if err != nil {
			return nil, nil, err
		}
		s, err := c.OpenStream(ctx)
		if err != nil {
			return nil, nil, errors.Join(err, c.Close())
		}
		return s, c.Close, nil
	}
	return place{"quic", listener.Of(quic.NewStreamListener(ln, nil)), connect}, nil
}

func overMemory() place {
	ln := memory.Listen(nil)
	return place{"memory", listener.Of(ln), dialing(ln)}
}
