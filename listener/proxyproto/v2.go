package proxyproto

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"net"
	"net/netip"
)

const (
	signatureV2 = "\r\n\r\n\x00\r\nQUIT\n"

	fixedV2 = 16 // signature, version and command, family and transport, length

	localV2 = 0x20 // version and command
	proxyV2 = 0x21

	maxPath = 108 // of struct sockaddr_un where the protocol comes from
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func parseV2(p []byte) (*Header, int, error) {
	if len(p) < fixedV2 {
		return nil, fixedV2, nil
	}
	n := fixedV2 + int(binary.BigEndian.Uint16(p[14:]))
	command, kind := p[12], p[13]
	switch {
	case command != localV2 && command != proxyV2:
		return nil, 0, malformed(2, "version and command %#02x", command)
	case len(p) < n:
		return nil, n, nil
	case command == localV2:
		return &Header{Version: 2, Local: true}, n, nil // the rest is to be discarded, section 2.2
	}
	raw := bytes.Clone(p[:n])
	h := &Header{Version: 2}
	rest, err := h.takeAddresses(kind, raw[fixedV2:])
	if err != nil {
		return nil, 0, err
	}
	if h.TLVs, err = parseTLVs(rest); err != nil {
		return nil, 0, err
	}
	if err := h.checkTLVs(raw); err != nil {
		return nil, 0, err
	}
	return h, n, nil
}

// takeAddresses returns what comes behind the addresses in p.
func (h *Header) takeAddresses(kind byte, p []byte) ([]byte, error) {
	size := 0
	switch kind {
	case 0:
		return p, nil
	case ipv4 | overStream, ipv4 | asPackets:
		size = net.IPv4len
	case ipv6 | overStream, ipv6 | asPackets:
		size = net.IPv6len
	case unixFamily | overStream, unixFamily | asPackets:
		if len(p) < 2*maxPath {
			return nil, malformed(2, "%d bytes are too few for addresses", len(p))
		}
		h.Source, h.Destination = pathV2(kind, p[:maxPath]), pathV2(kind, p[maxPath:2*maxPath])
		return p[2*maxPath:], nil
	default:
		return nil, malformed(2, "family and transport %#02x", kind)
	}
	if len(p) < 2*size+4 {
		return nil, malformed(2, "%d bytes are too few for addresses", len(p))
	}
	ports := p[2*size:]
	h.Source = endpointV2(kind, p[:size], ports)
	h.Destination = endpointV2(kind, p[size:2*size], ports[2:])
	return ports[4:], nil
}

func endpointV2(kind byte, addr, port []byte) net.Addr {
	ip, _ := netip.AddrFromSlice(addr) // of the right length
	ap := netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(port))
	if kind&0xf == asPackets {
		return net.UDPAddrFromAddrPort(ap)
	}
	return net.TCPAddrFromAddrPort(ap)
}

// pathV2 takes a path up to its NUL, and an abstract name, which begins with
// one, up to those that fill it up. Go spells such names with an @.
func pathV2(kind byte, p []byte) net.Addr {
	a := &net.UnixAddr{Net: "unix"}
	if kind&0xf == asPackets {
		a.Net = "unixgram"
	}
	if name := bytes.TrimRight(p, "\x00"); len(name) > 0 && name[0] == 0 {
		a.Name = "@" + string(name[1:])
	} else {
		path, _, _ := bytes.Cut(p, []byte{0})
		a.Name = string(path)
	}
	return a
}

// checkTLVs checks those that the protocol says more about. h was parsed from
// raw, in which the values lie.
func (h *Header) checkTLVs(raw []byte) error {
	sums := 0
	for _, v := range h.TLVs {
		switch v.Type {
		case TypeCRC32C:
			if sums++; sums > 1 || !sumIsRight(raw, v.Value) {
				return malformed(2, "wrong checksum")
			}
		case TypeUniqueID:
			if len(v.Value) > maxUniqueID {
				return malformed(2, "a unique ID of %d bytes", len(v.Value))
			}
		case TypeTLS:
			if _, err := parseTLS(v.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// sumIsRight tells whether field, which lies in raw, is the checksum of raw
// with zeros in its place.
func sumIsRight(raw, field []byte) bool {
	if len(field) != crc32.Size {
		return false
	}
	sum := binary.BigEndian.Uint32(field)
	clear(field)
	ok := crc32.Checksum(raw, castagnoli) == sum
	binary.BigEndian.PutUint32(field, sum)
	return ok
}

func (h *Header) appendV2(dst []byte) ([]byte, error) {
	e, err := h.endpoints()
	if err != nil {
		return dst, err
	}
	command := byte(proxyV2)
	if h.Local {
		command = localV2
	}
	start := len(dst)
	dst = append(dst, signatureV2...)
	dst = append(dst, command, e.family|e.transport, 0, 0)
	dst, sum, err := appendTLVs(e.append(dst), h.TLVs)
	size := len(dst) - start - fixedV2
	switch {
	case err != nil:
		return dst[:start], err
	case size > math.MaxUint16:
		return dst[:start], unsendable("%d bytes are too many", size)
	}
	binary.BigEndian.PutUint16(dst[start+14:], uint16(size))
	if sum > 0 {
		binary.BigEndian.PutUint32(dst[sum:], crc32.Checksum(dst[start:], castagnoli))
	}
	return dst, nil
}

func (e *endpoints) append(out []byte) []byte {
	switch e.family {
	case ipv4, ipv6:
		out = append(out, e.source.Addr().AsSlice()...)
		out = append(out, e.destination.Addr().AsSlice()...)
		out = binary.BigEndian.AppendUint16(out, e.source.Port())
		out = binary.BigEndian.AppendUint16(out, e.destination.Port())
	case unixFamily:
		for _, name := range []string{e.from, e.to} {
			var path [maxPath]byte
			copy(path[:], name)
			if path[0] == '@' {
				path[0] = 0
			}
			out = append(out, path[:]...)
		}
	}
	return out
}
