package endpoint

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ofPackets are package net's names of what people may look for here, and what
// connects there.
var ofPackets = map[string]string{
	"udp": "udp.Connector", "unixgram": "unix.PacketConnector", "unixpacket": "unix.SeqpacketConnector",
}

// find returns how to connect to a, or to listen there: own has what the
// caller added.
func find[F any](a Address, own map[string]F, tcp, unix F) (F, error) {
	all := map[string]F{"tcp": tcp, "unix": unix}
	for name, f := range own {
		if !isScheme(name) || strings.HasPrefix(name, overTLS) {
			return f, fmt.Errorf("endpoint: Schemes has %q, which no URI can have", name)
		}
		all[name] = f
	}
	f, ok := all[a.Scheme]
	if !ok {
		if connector, ok := ofPackets[a.Scheme]; ok {
			return f, a.refuse(a.Scheme + " carries packets and is no byte stream: see " + connector)
		}
		names := strings.Join(slices.Sorted(maps.Keys(all)), ", ")
		return f, a.refuse(fmt.Sprintf("unknown scheme %q: there are %s, and %s with each", a.prefix(), names, overTLS))
	}
	return f, nil
}
