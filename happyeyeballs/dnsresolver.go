package happyeyeballs

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/internal/dns"
)

// resolvConf is where the system keeps what a stub resolver needs to know.
const resolvConf = "/etc/resolv.conf"

// DNSConfig says whom a [DNSResolver] asks and how. Without servers, what is
// zero is taken from /etc/resolv.conf first.
type DNSConfig struct {
	// Servers are asked in order, those with IPv6 addresses first, and one
	// that did not answer after the others for the next 30s. Those on this
	// host keep their place.
	Servers []netip.AddrPort

	// Search are the domains in which names are looked for that have fewer
	// than Ndots dots, before they are looked for as they are; other names
	// are looked for there after that. A name with a final dot is not searched
	// for.
	Search []string

	// Ndots is the number of dots that make a name complete. Zero means 1;
	// negative that none are needed.
	Ndots int

	// Timeout is how long to wait for a server, each time it is asked. Zero
	// means 5s, and so do negative values.
	Timeout time.Duration

	// Attempts is how often to go through the servers. Zero means 2, and so do
	// negative values.
	Attempts int

	// Rotate begins each query with another server.
	Rotate bool

	// TCP asks over TCP alone.
	TCP bool
}

// A DNSResolver asks DNS servers itself, and answers for each family as soon as
// it has heard of it. It knows the DNS alone: it does not read /etc/hosts,
// though localhost is this host, and caches nothing.
type DNSResolver struct {
	client *dns.Client
}

var _ Resolver = (*DNSResolver)(nil)

// NewDNSResolver returns a resolver for cfg, which it copies. It reads
// /etc/resolv.conf, once, if cfg has no servers; the error is that of reading
// it.
func NewDNSResolver(cfg *DNSConfig) (*DNSResolver, error) {
	var c DNSConfig
	if cfg != nil {
		c = *cfg
	}
	if len(c.Servers) == 0 {
		system, err := dns.ReadConfig(resolvConf)
		if err != nil {
			return nil, fmt.Errorf("happyeyeballs: DNS configuration: %w", err)
		}
		c = c.over(system)
	}
	return &DNSResolver{client: dns.New(dns.Config(c))}, nil
}

// over returns c with what is zero taken from the system's.
func (c DNSConfig) over(system dns.Config) DNSConfig {
	c.Servers = system.Servers
	if len(c.Search) == 0 {
		c.Search = system.Search
	}
	c.Ndots = cmp.Or(c.Ndots, system.Ndots)
	c.Timeout = cmp.Or(c.Timeout, system.Timeout)
	c.Attempts = cmp.Or(c.Attempts, system.Attempts)
	c.Rotate = c.Rotate || system.Rotate
	c.TCP = c.TCP || system.TCP
	return c
}

// Resolve sends the query for AAAA records first and that for A records right
// after it; before both the one for service records. Errors are *net.DNSError.
func (r *DNSResolver) Resolve(ctx context.Context, q Query, answer func(Answer)) error {
	var types []dnsmessage.Type
	switch q.Records {
	case HTTPS:
		types = append(types, dnsmessage.TypeHTTPS)
	case SVCB:
		types = append(types, dnsmessage.TypeSVCB)
	}
	if q.Family.includes(IPv6) {
		types = append(types, dnsmessage.TypeAAAA)
	}
	if q.Family.includes(IPv4) {
		types = append(types, dnsmessage.TypeA)
	}
	return r.client.Lookup(ctx, q.Host, q.Prefix, types, func(a dns.Answer) { answer(answerOf(a)) })
}

func answerOf(a dns.Answer) Answer {
	b := Answer{Addrs: a.Addrs, Err: a.Err}
	switch a.Type {
	case dnsmessage.TypeA:
		b.Family = IPv4
	case dnsmessage.TypeAAAA:
		b.Family = IPv6
	}
	for _, s := range a.Services {
		b.Records = append(b.Records, Record(s))
	}
	return b
}
