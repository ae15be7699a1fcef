package happyeyeballs

import (
	"context"
	"net"
	"sync"
)

// A SystemResolver asks the way the system does, so that /etc/hosts, search
// lists, nsswitch.conf and their likes elsewhere count. It asks for each family
// on its own; the two lookups start together, and which is sent first is for
// the system to say. It does not look for service records. The zero
// SystemResolver is ready to use.
type SystemResolver struct {
	// Net does the lookups. Nil means net.DefaultResolver.
	Net *net.Resolver
}

var _ Resolver = (*SystemResolver)(nil)

// Resolve answers for each family once.
func (r *SystemResolver) Resolve(ctx context.Context, q Query, answer func(Answer)) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	if q.Family.includes(IPv4) {
		wg.Go(func() { answer(r.lookup(ctx, q.Host, IPv4)) })
	}
	if q.Family.includes(IPv6) {
		answer(r.lookup(ctx, q.Host, IPv6)) // here, which is a little sooner than there
	}
	return nil
}

func (r *SystemResolver) lookup(ctx context.Context, host string, f Family) Answer {
	resolver, network := r.Net, "ip6"
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	if f == IPv4 {
		network = "ip4"
	}
	addrs, err := resolver.LookupNetIP(ctx, network, host)
	for i := range addrs {
		addrs[i] = addrs[i].Unmap() // IPv4 comes mapped
	}
	return Answer{Family: f, Addrs: addrs, Err: err}
}
