package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/tls"
)

// ask asks for an address, on a connection of its own.
func ask(ctx context.Context, server string, cfg *tls.Config, q dnsmessage.Question) (netip.Addr, error) {
	c, err := quic.Dial(ctx, server, cfg, nil)
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close() // with noError
	m := dnsmessage.Message{Questions: []dnsmessage.Question{q}}
	if err := exchange(ctx, c, &m); err != nil {
		return netip.Addr{}, err
	}
	for _, r := range m.Answers {
		if aaaa, ok := r.Body.(*dnsmessage.AAAAResource); ok {
			return netip.AddrFrom16(aaaa.AAAA), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%v: %v", q.Name, m.RCode)
}

// exchange sends a query and receives the answer in its place.
func exchange(ctx context.Context, c *quic.Conn, m *dnsmessage.Message) error {
	query, err := m.Pack()
	if err != nil {
		return err
	}
	s, err := c.OpenStream(ctx)
	if err != nil {
		return err
	}
	frames := buffered.NewFrames(buffered.New(s, nil), messages)
	defer frames.Close()
	if err := errors.Join(frames.Send(ctx, query), frames.SendEOF(ctx)); err != nil {
		return err
	}
	response, err := frames.Receive(ctx)
	if err != nil {
		return err
	}
	return m.Unpack(response)
}
