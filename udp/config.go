package udp

import "net/netip"

// Config says how a socket is made. A nil Config and the zero one mean all
// defaults. The functions that take one copy it.
type Config struct {
	// LocalAddr is where Dial sends from. The system chooses what of it is
	// missing: a port of 0, an IP address that is the zero Addr, or both. Listen
	// has no use for it.
	LocalAddr netip.AddrPort

	// ReusePort lets several sockets with this option listen on one address,
	// among which the kernel spreads the senders (SO_REUSEPORT). Not on Windows.
	ReusePort bool

	// Broadcast allows sending to broadcast addresses.
	Broadcast bool

	// Info fills in Local, Interface and TOS of packets that are received.
	// Linux; elsewhere errors.ErrUnsupported.
	Info bool

	// TTL is how many hops a packet may take, 1 to 255. Zero means the
	// system's default, 64 as a rule; anything else is syscall.EINVAL.
	TTL int

	// TOS is the traffic class of packets that have none of their own. Zero
	// means 0.
	TOS uint8

	// MulticastTTL is TTL for packets to a group. Zero means 1, the system's
	// default, which does not leave the local network.
	MulticastTTL int

	// MulticastInterface is the name of the interface by which packets to a
	// group leave. Empty leaves the choice to the system.
	MulticastInterface string

	// NoMulticastLoopback keeps packets that are sent to a group from sockets
	// of this machine.
	NoMulticastLoopback bool
}
