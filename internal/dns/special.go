package dns

import (
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// special answers for names that are none of a DNS server's business, and
// returns nil for others.
func special(host string, types []dnsmessage.Type) []Answer {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	local := name == "localhost" || strings.HasSuffix(name, ".localhost") // RFC 6761 section 6.3
	onion := name == "onion" || strings.HasSuffix(name, ".onion")         // RFC 7686 section 2
	if !local && !onion {
		return nil
	}
	as := make([]Answer, len(types))
	for i, typ := range types {
		as[i].Type = typ
		switch {
		case local && typ == dnsmessage.TypeA:
			as[i].Addrs = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
		case local && typ == dnsmessage.TypeAAAA:
			as[i].Addrs = []netip.Addr{netip.IPv6Loopback()}
		default:
			as[i].Err = notFound("")
		}
	}
	return as
}
