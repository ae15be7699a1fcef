// Package happyeyeballs connects to the first address of a host that answers,
// as RFC 8305 has it and, for services over QUIC and TCP, its successor: for
// any function that dials one address, over any resolver, and without knowing
// a transport.
//
//	conn, report, err := happyeyeballs.Dial(ctx, "example.com", 443,
//		func(ctx context.Context, c happyeyeballs.Candidate, progress func()) (net.Conn, error) {
//			return dialer.DialContext(ctx, "tcp", c.Addr.String())
//		}, nil)
//
// [Dial] asks a [Resolver] for the host's addresses, IPv6 and IPv4 at the same
// time, and does not wait for both. It sorts what it learns by RFC 6724, mixes
// the families, and makes an attempt for each [Candidate], a pause after the
// one before, until one succeeds. [Config] has the pauses, which are those of
// the RFC. [SystemResolver] asks what the system asks, /etc/hosts too;
// [DNSResolver] is a DNS client that answers for each family as it hears of it.
//
// With Config.Service it looks for service records too (SVCB and HTTPS, RFC
// 9460), and an attempt is to one address over one transport. The function
// that makes it does all that belongs to a connection of use, the TLS
// handshake as well.
//
// A [Report] tells what was tried when and how it ended. The connections of
// package tcp have it as the attribute [Race]; Config.Trace sees it happen.
//
// # The rules
//
// An attempt to an IPv6 address starts once there is one. If IPv4 addresses
// come first, they wait 50 ms for those of the other family, or until it is
// known that there are none. After that 250 ms lie between attempts; earlier
// ones go on meanwhile. When the attempt that was started last fails, the next
// follows at once, though not within 10 ms of its start unless it went to this
// host itself. Addresses that come late find their place among those that were
// not tried yet. The first success ends it all: other attempts and the lookups
// are canceled, and what connects nevertheless is closed.
//
// On a host with IPv6 alone, an IPv4 literal is reached through the network's
// NAT64, and so are the IPv4 addresses of a name if nothing else succeeded
// within 2 s (RFC 8305 section 7).
//
// # Services
//
// A race for a [Service] follows draft-ietf-happy-happyeyeballs-v3. It asks
// for records, IPv6 and IPv4 addresses in this order, and only for families
// with a route to the Internet. The first attempt starts once there are an
// address, the answer about records, and that about the preferred family,
// which is IPv6 if there is a choice; or 50 ms after the first address. Hints
// in records count as addresses until these are known. Aliases are followed, 8
// of them at most, and the addresses of up to 8 targets asked for. However much
// a server tells, the first 16 services count, and of each name the first 32
// addresses of each family.
//
// What is known is sorted again with each answer: by what is spoken there, as
// the caller likes it; within that by the priority of services, those of the
// same in a random order; within that by RFC 6724, and the families take
// turns. So do the protocols: after the first address of each family, the next
// one has its turn. A service that speaks none of the protocols is not tried.
// Addresses of which no record tells come last, with all protocols.
//
// The attempts follow each other as above, and none is brought forward by an
// answer. On a host with IPv6 alone, the network is asked at once for the
// prefixes of its NAT64, and IPv4 addresses are asked for when there is one.
// What goes through a NAT64 is sorted as the IPv4 address that it stands for.
//
// # History
//
// Nothing is remembered from one call to the next, so that neither a change of
// networks nor a host that was down once can make it prefer what is worse.
//
// # Cancellation
//
// Dial returns when every lookup and every attempt has returned, so that it
// leaves nothing behind, canceled or not; one that ignores its context holds
// it up.
package happyeyeballs
