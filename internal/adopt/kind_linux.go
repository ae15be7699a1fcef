package adopt

import (
	"fmt"

	sysunix "golang.org/x/sys/unix"
)

func familyOf(fd int) (int, error) {
	return sysunix.GetsockoptInt(fd, sysunix.SOL_SOCKET, sysunix.SO_DOMAIN)
}

// foreignProtocol returns the name of a protocol that is neither TCP nor UDP,
// whatever the type of its sockets.
func foreignProtocol(fd int) string {
	protocol, err := sysunix.GetsockoptInt(fd, sysunix.SOL_SOCKET, sysunix.SO_PROTOCOL)
	if err != nil {
		return ""
	}
	switch protocol {
	case sysunix.IPPROTO_TCP, sysunix.IPPROTO_MPTCP, sysunix.IPPROTO_UDP:
		return ""
	case sysunix.IPPROTO_SCTP:
		return "SCTP"
	case sysunix.IPPROTO_DCCP:
		return "DCCP"
	case sysunix.IPPROTO_UDPLITE:
		return "UDP-Lite"
	case sysunix.IPPROTO_ICMP, sysunix.IPPROTO_ICMPV6:
		return "ICMP"
	}
	return fmt.Sprintf("IP protocol %d", protocol)
}

func familyName(family int) string {
	known := map[int]string{
		sysunix.AF_NETLINK: "netlink", sysunix.AF_VSOCK: "vsock", sysunix.AF_PACKET: "packet",
		sysunix.AF_SMC: "SMC", sysunix.AF_ALG: "crypto", sysunix.AF_BLUETOOTH: "Bluetooth",
	}
	if name, ok := known[family]; ok {
		return name
	}
	return fmt.Sprintf("family %d", family)
}
