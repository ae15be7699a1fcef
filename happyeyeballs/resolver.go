package happyeyeballs

import (
	"context"
	"errors"
	"net"
	"net/netip"
)

// A Query is what a [Resolver] is asked.
type Query struct {
	Host   string // a name, not an address; with a final dot it is complete
	Family Family // the family to look for; zero means both

	// Records is the type of service records to look for as well, at Prefix
	// before Host. Empty means none.
	Records RecordType
	Prefix  string
}

// An Answer tells what is known of one family of a host's addresses, or of its
// service records.
type Answer struct {
	Family  Family       // zero if it is about records
	Addrs   []netip.Addr // all of them, in the resolver's order; empty if there are none
	Records []Record     // all of them that can be used (RFC 9460 section 8)
	Err     error        // why there are none: a *net.DNSError, or what else went wrong
}

// A Resolver finds the addresses of a name.
//
// Resolve calls answer as soon as it knows something of one of the families
// that the query asks for, without waiting for the other, also when it has
// learned that there are none. A later answer for the same family replaces the
// earlier one. Resolve returns when it has no more to say, or when ctx is done.
// A family for which there was no answer until then has no addresses, and err
// tells why. The same goes for records; who cannot look for them answers for
// addresses alone, and is of no use to a race that relies on records (ECHRelied).
//
// RFC 8305 section 3 wants the query for IPv6 sent first, and the one for IPv4
// right after it. Records come before both.
//
// Several goroutines may call Resolve, and Resolve may call answer from
// several goroutines, though not after it has returned.
type Resolver interface {
	Resolve(ctx context.Context, q Query, answer func(Answer)) (err error)
}

// usable returns the addresses of a that are of its family, without repeats.
// A server may put into its answers what does not belong there.
func (a Answer) usable() []netip.Addr {
	addrs := make([]netip.Addr, 0, len(a.Addrs))
	seen := make(map[netip.Addr]bool, len(a.Addrs))
	for _, addr := range a.Addrs {
		addr = addr.Unmap()
		if addr.IsValid() && familyOf(addr) == a.Family && !seen[addr] {
			seen[addr] = true
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

// isNotFound reports whether err says that there is no such name or no such
// address, rather than that it could not be found out.
func isNotFound(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound
	}
	_, unsuitable := errors.AsType[*net.AddrError](err) // what net says of a hosts file without the family
	return unsuitable
}

// notFound is the error of a name without addresses for which the resolver had
// no error of its own.
func notFound(host string) error {
	return &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}
