package dns

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// penalty is how long a server that did not answer is asked after the others.
const penalty = 30 * time.Second

// A Client asks the servers of a Config. Any number of goroutines may use it
// at once.
type Client struct {
	cfg Config

	mu     sync.Mutex
	silent map[netip.AddrPort]time.Time // when a server did not answer
	turn   int                          // of Rotate
}

// New returns a client for cfg, which it copies.
func New(cfg Config) *Client {
	cfg = cfg.withDefaults()
	cfg.Search = slices.Clone(cfg.Search)
	cfg.Servers = ipv6First(cfg.Servers)
	return &Client{cfg: cfg, silent: map[netip.AddrPort]time.Time{}}
}

// ipv6First moves servers that are reached over IPv6 to the front (RFC 8305
// section 3.1). Those on this host are reached over neither, and stay where
// the administrator put them: such a one may know names that others do not.
func ipv6First(servers []netip.AddrPort) []netip.AddrPort {
	servers = slices.Clone(servers)
	slices.SortStableFunc(servers, func(a, b netip.AddrPort) int { return remoteIPv4(a) - remoteIPv4(b) })
	return servers
}

func remoteIPv4(a netip.AddrPort) int {
	if addr := a.Addr().Unmap(); addr.Is4() && !addr.IsLoopback() {
		return 1
	}
	return 0
}

// order returns the servers as the next query is to ask them.
func (c *Client) order() []netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	servers := c.cfg.Servers
	if n := len(servers); c.cfg.Rotate && n > 0 {
		servers = slices.Concat(servers[c.turn%n:], servers[:c.turn%n])
		c.turn++
	}
	good := make([]netip.AddrPort, 0, len(servers))
	var bad []netip.AddrPort
	for _, s := range servers {
		if at, ok := c.silent[s]; ok && time.Since(at) < penalty {
			bad = append(bad, s)
		} else {
			good = append(good, s)
		}
	}
	return append(good, bad...)
}

// remember notes whether a server answered.
func (c *Client) remember(server netip.AddrPort, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.silent[server] = time.Now()
	} else {
		delete(c.silent, server)
	}
}

// query asks one server after the other for one type of one name, until one
// has an answer of use. It calls sent after the first packet went out.
func (c *Client) query(ctx context.Context, name string, typ dnsmessage.Type, sent func()) Answer {
	q, err := question(name, typ)
	if err != nil {
		return Answer{Type: typ, Err: notFound("")} // cannot exist
	}
	last := Answer{Type: typ, Err: &net.DNSError{Err: errNoServers.Error(), UnwrapErr: errNoServers}}
	servers := c.order()
	for range c.cfg.Attempts {
		for _, server := range servers {
			a, err := c.exchange(ctx, server, q, sent)
			if err == nil {
				return a
			}
			if ctx.Err() != nil {
				return Answer{Type: typ, Err: context.Cause(ctx)}
			}
			last.Err = failed(server, err)
		}
	}
	return last
}

// question returns what to ask, or an error for what is not a name.
func question(name string, typ dnsmessage.Type) (dnsmessage.Question, error) {
	n, err := dnsmessage.NewName(name + ".")
	q := dnsmessage.Question{Name: n, Type: typ, Class: dnsmessage.ClassINET}
	if err != nil {
		return q, err
	}
	_, err = pack(0, q, false)
	return q, err
}
