package dns

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// packetSize is how large an answer over UDP may be: what fits into a packet
// everywhere, so that no fragments need to be trusted (RFC 9715).
const packetSize = 1232

// exchange asks one server, and again over TCP or without EDNS(0) if the
// answer says so. An error is about this server; another may know better.
func (c *Client) exchange(ctx context.Context, server netip.AddrPort, q dnsmessage.Question, sent func()) (Answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.Timeout, errTimeout)
	defer cancel()
	network := "udp"
	if c.cfg.TCP {
		network = "tcp"
	}
	edns := true
	r, err := c.roundTrip(ctx, network, server, q, edns, sent)
	if err == nil && (r.RCode == dnsmessage.RCodeFormatError || r.RCode == dnsmessage.RCodeNotImplemented) {
		edns = false
		r, err = c.roundTrip(ctx, network, server, q, edns, sent)
	}
	if err == nil && r.Truncated && network == "udp" {
		r, err = c.roundTrip(ctx, "tcp", server, q, edns, sent)
	}
	if err != nil {
		return Answer{}, err
	}
	return r.answer(server)
}

var errTimeout = errors.New("server did not answer in time")

// roundTrip sends a query and waits for its answer.
func (c *Client) roundTrip(ctx context.Context, network string, server netip.AddrPort, q dnsmessage.Question, edns bool, sent func()) (*reply, error) {
	var b [2]byte
	_, _ = rand.Read(b[:]) // crashes rather than fail
	id := binary.BigEndian.Uint16(b[:])
	msg, err := pack(id, q, edns)
	if err != nil {
		return nil, err
	}
	r, err := transmit(ctx, network, server, msg, expectation{id, q}, sent)
	if ctx.Err() == nil || errors.Is(context.Cause(ctx), errTimeout) {
		c.remember(server, err)
	}
	return r, err
}

// transmit sends msg over a connection of its own. Connected, a UDP socket
// takes packets from the server alone, and hears of it when there is none.
func transmit(ctx context.Context, network string, server netip.AddrPort, msg []byte, want expectation, sent func()) (*reply, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if network == "tcp" {
		msg = append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...)
	}
	if _, err := conn.Write(msg); err != nil {
		return nil, err
	}
	sent()
	if network == "tcp" {
		return receiveTCP(conn, want)
	}
	return receiveUDP(conn, want)
}

// receiveUDP waits for the packet that answers, and passes over others: anybody
// may have sent those.
func receiveUDP(conn net.Conn, want expectation) (*reply, error) {
	buf := make([]byte, 4096) // more than was asked for, in case
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		if r, err := parse(buf[:n], want); !errors.Is(err, errForeign) {
			return r, err
		}
	}
}

func receiveTCP(conn net.Conn, want expectation) (*reply, error) {
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	msg := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, msg); err != nil {
		return nil, err
	}
	return parse(msg, want)
}
