package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/tls"
)

var (
	protocols = []string{"doq"}
	messages  = buffered.LengthPrefixed{Size: 2}
	known     = dnsmessage.Question{Name: dnsmessage.MustNewName("strata.test."), Type: dnsmessage.TypeAAAA, Class: dnsmessage.ClassINET}
	address   = netip.MustParseAddr("2001:db8::53")
)

// The codes that connections are closed with (RFC 9250 section 4.3).
const noError, protocolError = quic.Code(0), quic.Code(2)

// listen opens a socket on addr for connections of clients.
func listen(ctx context.Context, addr string, cert tls.Certificate) (*quic.Listener, error) {
	return quic.Listen(ctx, addr, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: protocols}, nil)
}

// serve answers on every stream of every connection until ctx is done.
func serve(ctx context.Context, ln *quic.Listener) error {
	return listener.Serve(ctx, ln, serveConn, nil)
}

// serveConn answers until the client has no more questions, or has to be told
// that it makes no sense. When the server stops, the last answers still arrive.
func serveConn(ctx context.Context, c *quic.Conn) error {
	until, stop := listener.Draining(ctx)
	defer stop()
	err := listener.Serve(until, c.Streams(), func(ctx context.Context, s *quic.Stream) error {
		err := serveQuery(ctx, buffered.NewFrames(buffered.New(s, nil), messages))
		if errors.Is(err, protocolError) {
			return c.Abort(&quic.ApplicationError{Code: protocolError, Reason: err.Error()})
		}
		return err
	}, nil)
	if errors.Is(err, noError) || errors.Is(err, net.ErrClosed) || errors.Is(err, quic.ErrIdleTimeout) {
		return nil
	}
	return errors.Join(err, c.Shutdown(ctx))
}

// serveQuery answers the one query of a stream.
func serveQuery(ctx context.Context, frames *buffered.Frames[[]byte]) error {
	query, err := frames.Receive(ctx)
	if err != nil {
		return err
	}
	response, err := answer(query)
	if err != nil {
		return err
	}
	if err := errors.Join(frames.Send(ctx, response), frames.SendEOF(ctx)); err != nil {
		return err
	}
	switch _, err := frames.Receive(ctx); err {
	case nil:
		return fmt.Errorf("%w: more than a query", protocolError)
	case io.EOF:
		return nil
	default:
		return err // it has lost interest, which concerns this stream alone
	}
}

// answer knows one address.
func answer(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || m.ID != 0 || m.Response || len(m.Questions) != 1 {
		return nil, fmt.Errorf("%w: not a query", protocolError)
	}
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	q := m.Questions[0]
	named := strings.EqualFold(q.Name.String(), known.Name.String()) // RFC 4343
	if named && q.Type == known.Type && q.Class == known.Class {
		header := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 3600}
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: address.As16()}}}
	} else if !named {
		m.RCode = dnsmessage.RCodeNameError
	}
	return m.Pack()
}
