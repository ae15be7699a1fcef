package dns

import (
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

// Order returns the servers as the next query will ask them.
func Order(c *Client) []netip.AddrPort { return c.order() }

// Decode reads a message as the answer to q, with its ID.
func Decode(msg []byte, id uint16, q dnsmessage.Question) (Answer, error) {
	r, err := parse(msg, expectation{id, q})
	if err != nil {
		return Answer{}, err
	}
	return r.answer(netip.AddrPort{})
}

// Remember notes whether a server answered.
func Remember(c *Client, server netip.AddrPort, err error) { c.remember(server, err) }
