package udp

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	sysunix "golang.org/x/sys/unix"
)

// control is what came with a packet, or goes with it.
type control struct {
	local   netip.Addr
	ifindex int
	tos     uint8
	segment int // the length of each packet but the last, of those that were joined
}

// parse reads what the kernel has put beside a packet.
func parse(b []byte) (c control) {
	for len(b) >= sysunix.SizeofCmsghdr {
		hdr, data, rest, err := sysunix.ParseOneSocketControlMessage(b)
		if err != nil {
			return c
		}
		c.read(hdr.Level, hdr.Type, data)
		b = rest
	}
	return c
}

func (c *control) read(level, kind int32, data []byte) {
	switch {
	case level == sysunix.SOL_IP && kind == sysunix.IP_PKTINFO && len(data) >= sysunix.SizeofInet4Pktinfo:
		c.ifindex = int(binary.NativeEndian.Uint32(data))
		c.local = netip.AddrFrom4([4]byte(data[8:12])) // ipi_addr; before it is where the host would answer from
	case level == sysunix.SOL_IPV6 && kind == sysunix.IPV6_PKTINFO && len(data) >= sysunix.SizeofInet6Pktinfo:
		c.local = netip.AddrFrom16([16]byte(data[:16])).Unmap()
		c.ifindex = int(binary.NativeEndian.Uint32(data[16:]))
	case level == sysunix.SOL_IP && kind == sysunix.IP_TOS && len(data) >= 1:
		c.tos = data[0]
	case level == sysunix.SOL_IPV6 && kind == sysunix.IPV6_TCLASS && len(data) >= 4:
		c.tos = uint8(binary.NativeEndian.Uint32(data))
	case level == sysunix.SOL_UDP && kind == sysunix.UDP_GRO && len(data) >= 2:
		c.segment = int(binary.NativeEndian.Uint16(data))
		if len(data) >= 4 {
			c.segment = int(binary.NativeEndian.Uint32(data))
		}
	}
}

// write puts c beside a packet, in b, and returns how much that is. The
// socket is of IPv4 if four, and so is the packet if toFour.
func (c *control) write(b []byte, four, toFour bool) int {
	n := 0
	local := c.local
	if local.IsMulticast() || local.IsUnspecified() {
		local = netip.Addr{}
	}
	if local.IsValid() || c.ifindex != 0 {
		if four {
			var info sysunix.Inet4Pktinfo
			info.Ifindex = int32(c.ifindex)
			if local.IsValid() {
				info.Spec_dst = local.Unmap().As4()
			}
			n += put(b[n:], sysunix.SOL_IP, sysunix.IP_PKTINFO, unsafe.Pointer(&info), sysunix.SizeofInet4Pktinfo)
		} else {
			info := sysunix.Inet6Pktinfo{Ifindex: uint32(c.ifindex)}
			if local.IsValid() {
				info.Addr = local.As16()
			} else if toFour {
				info.Addr[10], info.Addr[11] = 0xff, 0xff // ::ffff:0.0.0.0
			}
			n += put(b[n:], sysunix.SOL_IPV6, sysunix.IPV6_PKTINFO, unsafe.Pointer(&info), sysunix.SizeofInet6Pktinfo)
		}
	}
	if c.tos != 0 {
		tos := int32(c.tos)
		level, kind := int32(sysunix.SOL_IPV6), int32(sysunix.IPV6_TCLASS)
		if toFour {
			level, kind = sysunix.SOL_IP, sysunix.IP_TOS
		}
		n += put(b[n:], level, kind, unsafe.Pointer(&tos), 4)
	}
	if c.segment != 0 {
		segment := uint16(c.segment)
		n += put(b[n:], sysunix.SOL_UDP, sysunix.UDP_SEGMENT, unsafe.Pointer(&segment), 2)
	}
	return n
}

// put writes one control message and returns its length with padding.
func put(b []byte, level, kind int32, data unsafe.Pointer, size int) int {
	hdr := (*sysunix.Cmsghdr)(unsafe.Pointer(&b[0])) // which is aligned, as every message before it is
	hdr.Level, hdr.Type = level, kind
	hdr.SetLen(sysunix.CmsgLen(size))
	copy(b[sysunix.CmsgLen(0):], unsafe.Slice((*byte)(data), size))
	return sysunix.CmsgSpace(size)
}
