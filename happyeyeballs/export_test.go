package happyeyeballs

import (
	"math/rand/v2"
	"net/netip"

	"github.com/strata-go/strata/internal/dns"
)

var (
	NAT64Prefixes = nat64Prefixes
	Embed         = embed
	Extract       = extract
	KernelSource  = kernelSource
)

// Sorted sorts addresses by RFC 6724, given the source of each.
func Sorted(addrs, sources []netip.Addr) []netip.Addr {
	ds := make([]destination, len(addrs))
	for i, a := range addrs {
		ds[i] = newDestination(a, sources[i])
	}
	sortDestinations(ds)
	sorted := make([]netip.Addr, len(ds))
	for i, d := range ds {
		sorted[i] = d.addr
	}
	return sorted
}

// Over is what own becomes without servers, if the system's is as given.
func Over(own, system DNSConfig) DNSConfig { return own.over(dns.Config(system)) }

// WithSeed returns cfg with an order of services of the same priority that
// depends on seed alone.
func WithSeed(cfg Config, seed uint64) Config {
	cfg.shuffle = rand.New(rand.NewPCG(seed, 0)).Shuffle
	return cfg
}
