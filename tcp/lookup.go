package tcp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/hostname"
)

// addrs returns all addresses of a host to listen on, those of IPv4 first.
func (c *ListenConfig) addrs(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	name, err := hostname.ForLookup(host)
	if err != nil {
		return nil, err
	}
	l := lookup{answers: map[happyeyeballs.Family]happyeyeballs.Answer{}}
	resolver := c.Resolver
	if resolver == nil {
		resolver = &happyeyeballs.SystemResolver{}
	}
	err = resolver.Resolve(ctx, happyeyeballs.Query{Host: name, Family: c.Family}, l.answer)
	return l.all(name, err)
}

// A lookup takes a resolver's answers, the last of which counts.
type lookup struct {
	mu      sync.Mutex
	answers map[happyeyeballs.Family]happyeyeballs.Answer
}

func (l *lookup) answer(a happyeyeballs.Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers[a.Family] = a
}

// all returns every address. That there are none in one family is no error,
// but that they could not be learned is: err or that of an answer.
func (l *lookup) all(host string, err error) ([]netip.Addr, error) {
	var addrs []netip.Addr
	var none error = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	for _, f := range []happyeyeballs.Family{happyeyeballs.IPv4, happyeyeballs.IPv6} {
		a := l.answers[f]
		if a.Err != nil && !isNotFound(a.Err) {
			err = errors.Join(err, a.Err)
		} else if a.Err != nil {
			none = a.Err
		}
		for _, addr := range a.Addrs {
			if addr = addr.Unmap(); inFamily(f, addr) && !slices.Contains(addrs, addr) {
				addrs = append(addrs, addr)
			}
		}
	}
	if err == nil && len(addrs) == 0 {
		err = none
	}
	return addrs, err
}

func isNotFound(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound
	}
	_, ok := errors.AsType[*net.AddrError](err) // of a hosts file without the family
	return ok
}

// inFamily reports whether a is an address of f, of which 0 stands for both.
func inFamily(f happyeyeballs.Family, a netip.Addr) bool {
	return f == 0 || (f == happyeyeballs.IPv4) == a.Is4()
}
