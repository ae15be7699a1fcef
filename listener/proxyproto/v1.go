package proxyproto

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

const (
	signatureV1 = "PROXY "
	maxV1       = 107 // with CRLF, section 2.1
)

func parseV1(p []byte) (*Header, int, error) {
	line, n, err := lineV1(p)
	if line == nil {
		return nil, n, err
	}
	rest := string(line[len(signatureV1):])
	h := &Header{Version: 1}
	if kind, _, _ := strings.Cut(rest, " "); kind == "UNKNOWN" {
		return h, n, nil // whatever else the line says is to be ignored
	}
	fields := strings.Split(rest, " ")
	if len(fields) != 5 {
		return nil, 0, malformed(1, "%d fields, not 5", len(fields))
	}
	if h.Source, err = endpointV1(fields[0], fields[1], fields[3]); err != nil {
		return nil, 0, err
	}
	if h.Destination, err = endpointV1(fields[0], fields[2], fields[4]); err != nil {
		return nil, 0, err
	}
	return h, n, nil
}

// lineV1 returns the line without its CRLF, and its length with it. A nil line
// without an error is one that takes so many bytes at least.
func lineV1(p []byte) ([]byte, int, error) {
	end := bytes.IndexAny(p[:min(len(p), maxV1)], "\r\n")
	if end < 0 {
		end = len(p)
	}
	switch {
	case end+2 > maxV1:
		return nil, 0, malformed(1, "no end within %d bytes", maxV1)
	case end+1 >= len(p) && (end == len(p) || p[end] == '\r'):
		return nil, len(p) + 1, nil
	case p[end] == '\n':
		return nil, 0, malformed(1, "LF without CR")
	case p[end+1] != '\n':
		return nil, 0, malformed(1, "CR without LF")
	}
	return p[:end], end + 2, nil
}

// endpointV1 takes the one spelling that the protocol has for an address and a
// port, but for the abbreviations of IPv6.
func endpointV1(kind, addr, port string) (*net.TCPAddr, error) {
	ip, err := netip.ParseAddr(addr)
	switch {
	case kind != "TCP4" && kind != "TCP6":
		return nil, malformed(1, "protocol %q", kind)
	case err != nil || ip.Is4() != (kind == "TCP4"):
		return nil, malformed(1, "address %q in %s", addr, kind)
	case ip.Is6() && (ip.Is4In6() || ip.Zone() != "" || strings.Contains(addr, ".")):
		return nil, malformed(1, "address %q in %s", addr, kind)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != port {
		return nil, malformed(1, "port %q", port)
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(n))), nil
}

func (h *Header) appendV1(dst []byte) ([]byte, error) {
	e, err := h.endpoints()
	switch {
	case err != nil:
		return dst, err
	case e.transport != overStream || e.family == unixFamily:
		return append(dst, "PROXY UNKNOWN\r\n"...), nil
	case e.family == ipv6 && (e.source.Addr().Is4In6() || e.destination.Addr().Is4In6()):
		return dst, unsendable("%v and %v are of two families, which takes version 2", h.Source, h.Destination)
	}
	kind := "TCP4"
	if e.family == ipv6 {
		kind = "TCP6"
	}
	return fmt.Appendf(dst, "PROXY %s %v %v %d %d\r\n", kind,
		e.source.Addr(), e.destination.Addr(), e.source.Port(), e.destination.Port()), nil
}
