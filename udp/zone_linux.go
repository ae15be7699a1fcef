package udp

import (
	"net"
	"strconv"
)

// zoneName returns the name of an interface, or its number in digits.
func zoneName(scope uint32) string {
	if ifi, err := net.InterfaceByIndex(int(scope)); err == nil {
		return ifi.Name
	}
	return strconv.FormatUint(uint64(scope), 10)
}

func zoneNumber(zone string) (uint32, error) {
	ifi, err := net.InterfaceByName(zone)
	if err == nil {
		return uint32(ifi.Index), nil
	}
	if n, parseErr := strconv.ParseUint(zone, 10, 32); parseErr == nil {
		return uint32(n), nil
	}
	return 0, err
}
