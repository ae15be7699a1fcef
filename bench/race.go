package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/tls"
)

// raceCases compare what a quic.Connector does, which races QUIC and TLS over
// TCP, with quic.Dial to the same address.
var raceCases = []benchCase{
	{Name: "race/literal", Target: 1.05, OneCore: true, Setup: racedDials},
}

// racedDials measures connecting to an address, opening a stream and closing
// the connection. The server accepts in the same process, and its part of the
// handshake ends later than the client's: with the closing it is timed whole.
func racedDials(undo *cleanup) (ours, theirs side, err error) {
	ca, err := testpki.New(time.Now())
	if err != nil {
		return nil, nil, err
	}
	cert, err := ca.Issue(testpki.Server)
	if err != nil {
		return nil, nil, err
	}
	alpn := []string{"bench"}
	ctx := oneContext.ctx
	ln, err := quic.Listen(ctx, "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: alpn}, nil)
	if err != nil {
		return nil, nil, err
	}
	undo.add(acceptAll(ln))
	addr, err := quic.LocalAddr.Get(ln)
	if err != nil {
		return nil, nil, err
	}
	client := &tls.Config{RootCAs: ca.Pool(), NextProtos: alpn, ServerName: "localhost"}
	c := &quic.Connector{Addr: addr.String(), TLS: client, Service: happyeyeballs.Service{Protocols: []happyeyeballs.Protocol{
		{ALPN: alpn[0], Transport: happyeyeballs.QUIC}, {ALPN: alpn[0], Transport: happyeyeballs.TCP},
	}}}
	ours = racers(func() (*quic.Conn, error) {
		r, err := c.Connect(ctx)
		if err != nil {
			return nil, err
		}
		return r.Conn(), nil
	})
	theirs = racers(func() (*quic.Conn, error) {
		conn, err := quic.Dial(ctx, addr.String(), client, nil)
		if err != nil {
			return nil, err
		}
		_, err = conn.OpenStream(ctx)
		return conn, err
	})
	return ours, theirs, nil
}

// acceptAll accepts until what it returns is called. The clients end their
// connections.
func acceptAll(ln *quic.Listener) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { // ends with ctx
		for {
			conn, err := ln.Accept(ctx)
			if err != nil {
				return
			}
			tasks.Go(func() {
				_, _ = conn.AcceptStream(ctx) // until the client has gone
				_ = conn.Close()
			})
		}
	})
	return func() error {
		cancel()
		err := ln.Close()
		tasks.Wait()
		return err
	}
}

var errOverTCP = errors.New("the race was won by TCP")

func racers(dial func() (*quic.Conn, error)) side {
	return func(_ *watch, n int) error {
		for range n {
			conn, err := dial()
			if err != nil {
				return err
			}
			if conn == nil {
				return errOverTCP
			}
			if err := conn.Close(); err != nil {
				return err
			}
		}
		return nil
	}
}
