package proxyproto

import (
	"net"
	"net/netip"
)

// The halves of the byte that says what kind of addresses a header of version
// 2 has. It is 0 if it has none.
const (
	ipv4       = 0x10
	ipv6       = 0x20
	unixFamily = 0x30

	overStream = 0x01
	asPackets  = 0x02
)

// endpoints are the addresses of a header in the form in which they are sent.
type endpoints struct {
	family, transport byte
	source            netip.AddrPort // of ipv4 and ipv6
	destination       netip.AddrPort
	from, to          string // of unixFamily
}

// endpoints returns those of h, which are zero if it has none.
func (h *Header) endpoints() (endpoints, error) {
	if h.Source == nil && h.Destination == nil || h.Local {
		return endpoints{}, nil
	}
	switch src := h.Source.(type) {
	case *net.TCPAddr:
		if dst, ok := h.Destination.(*net.TCPAddr); ok {
			return ipEndpoints(overStream, src.AddrPort(), dst.AddrPort())
		}
	case *net.UDPAddr:
		if dst, ok := h.Destination.(*net.UDPAddr); ok {
			return ipEndpoints(asPackets, src.AddrPort(), dst.AddrPort())
		}
	case *net.UnixAddr:
		if dst, ok := h.Destination.(*net.UnixAddr); ok {
			return unixEndpoints(src, dst)
		}
	}
	return endpoints{}, unsendable("addresses of types %T and %T", h.Source, h.Destination)
}

// ipEndpoints maps an IPv4 address into IPv6 if the other one is of that.
func ipEndpoints(transport byte, src, dst netip.AddrPort) (endpoints, error) {
	if !src.IsValid() || !dst.IsValid() {
		return endpoints{}, unsendable("an address without an IP")
	}
	from, to := src.Addr().Unmap().WithZone(""), dst.Addr().Unmap().WithZone("")
	e := endpoints{family: ipv4, transport: transport}
	if from.Is6() || to.Is6() {
		e.family = ipv6
		from, to = netip.AddrFrom16(from.As16()), netip.AddrFrom16(to.As16())
	}
	e.source, e.destination = netip.AddrPortFrom(from, src.Port()), netip.AddrPortFrom(to, dst.Port())
	return e, nil
}

func unixEndpoints(src, dst *net.UnixAddr) (endpoints, error) {
	e := endpoints{family: unixFamily, from: src.Name, to: dst.Name}
	switch {
	case src.Net == "unix" && dst.Net == "unix":
		e.transport = overStream
	case src.Net == "unixgram" && dst.Net == "unixgram":
		e.transport = asPackets
	default:
		return endpoints{}, unsendable("networks %s and %s", src.Net, dst.Net)
	}
	if len(e.from) > maxPath || len(e.to) > maxPath {
		return endpoints{}, unsendable("a path over %d bytes", maxPath)
	}
	return e, nil
}

// portOf is the address of a header with its port.
func portOf(a net.Addr) (netip.AddrPort, bool) {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		ap = a.AddrPort()
	case *net.UDPAddr:
		ap = a.AddrPort()
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), ap.IsValid()
}
