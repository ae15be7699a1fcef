package udp

import (
	"net/netip"

	"github.com/strata-go/strata/internal/ctxio"
)

// A Packet is what a [Conn] carries.
type Packet struct {
	// Data may be empty.
	Data []byte

	// Addr is the sender of a packet that was received, and the receiver of
	// one to be sent; there it is the zero value on a Conn that was dialed. An
	// IPv4 address is never one mapped into IPv6.
	Addr netip.AddrPort

	// Local is the address that a packet came to, which may be that of a
	// group. It is filled in where Config.Info asks for it. A packet to be sent
	// comes from this address, if that is valid and not a group's.
	Local netip.Addr

	// Interface is the index of the interface that a packet came in by, where
	// Config.Info asks for it, and that one to be sent leaves by, if it is not
	// zero.
	Interface int

	// TOS is the traffic class of a packet, where Config.Info asks for it, and
	// of one to be sent, if it is not zero. The low two bits are ECN (RFC 3168).
	TOS uint8
}

// A TruncatedError reports that a packet did not fit into its buffer. What did
// is in it, and the rest is lost. Length is that of the packet, 0 where the
// system does not tell, and Room that of the buffer; Index is the packet's in a
// batch.
type TruncatedError = ctxio.TruncatedError
