package dns

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// A Service is an SVCB or HTTPS record (RFC 9460).
type Service struct {
	Priority      uint16 // the lowest first; 0 is an alias, which has a target only
	Target        string // without the final dot; empty means the name asked for
	ALPN          []string
	NoDefaultALPN bool
	Port          uint16 // 0 if the record names none
	IPv4Hints     []netip.Addr
	IPv6Hints     []netip.Addr
	ECH           []byte // a list of configurations for Encrypted Client Hello
}

// addService adds a record, unless it demands what we do not know. It returns
// false for a malformed one.
func (a *Answer) addService(r *dnsmessage.SVCBResource) bool {
	s := Service{Priority: r.Priority, Target: strings.TrimSuffix(r.Target.String(), ".")}
	if r.Priority == 0 {
		a.Services = append(a.Services, s) // its parameters do not count (section 2.4.2)
		return true
	}
	usable := true
	for _, p := range r.Params {
		var ok bool
		switch p.Key {
		case dnsmessage.SVCParamMandatory:
			usable, ok = mandatory(p.Value, r)
		default:
			ok = s.set(p)
		}
		if !ok {
			return false
		}
	}
	if s.NoDefaultALPN && s.ALPN == nil {
		return false // section 7.1.1
	}
	if usable {
		a.Services = append(a.Services, s)
	}
	return true
}

// set takes a parameter, and passes over those it does not know.
func (s *Service) set(p dnsmessage.SVCParam) (ok bool) {
	switch p.Key {
	case dnsmessage.SVCParamALPN:
		s.ALPN, ok = alpns(p.Value)
	case dnsmessage.SVCParamNoDefaultALPN:
		s.NoDefaultALPN, ok = true, len(p.Value) == 0
	case dnsmessage.SVCParamPort:
		if ok = len(p.Value) == 2; ok {
			s.Port = binary.BigEndian.Uint16(p.Value)
		}
	case dnsmessage.SVCParamIPv4Hint:
		s.IPv4Hints, ok = hints(p.Value, 4)
	case dnsmessage.SVCParamIPv6Hint:
		s.IPv6Hints, ok = hints(p.Value, 16)
	case dnsmessage.SVCParamECH:
		s.ECH, ok = p.Value, len(p.Value) > 0
	default:
		ok = true
	}
	return ok
}

// known reports whether set does something with a parameter.
func known(k dnsmessage.SVCParamKey) bool {
	return k >= dnsmessage.SVCParamALPN && k <= dnsmessage.SVCParamIPv6Hint
}

// mandatory reports whether we know all keys of the list, and whether it is
// well-formed: ascending, without itself, and all of them there (section 8).
func mandatory(v []byte, r *dnsmessage.SVCBResource) (usable, ok bool) {
	if len(v) == 0 || len(v)%2 != 0 {
		return false, false
	}
	usable = true
	for last := dnsmessage.SVCParamMandatory; len(v) > 0; v = v[2:] {
		k := dnsmessage.SVCParamKey(binary.BigEndian.Uint16(v))
		if _, present := r.GetParam(k); k <= last || !present {
			return false, false
		}
		usable = usable && known(k)
		last = k
	}
	return usable, true
}

func alpns(v []byte) ([]string, bool) {
	var ids []string
	for len(v) > 0 {
		n := int(v[0])
		if n == 0 || len(v) < 1+n {
			return nil, false
		}
		ids = append(ids, string(v[1:1+n]))
		v = v[1+n:]
	}
	return ids, len(ids) > 0
}

// hints reads addresses of size bytes each.
func hints(v []byte, size int) ([]netip.Addr, bool) {
	if len(v) == 0 || len(v)%size != 0 {
		return nil, false
	}
	addrs := make([]netip.Addr, 0, len(v)/size)
	for ; len(v) > 0; v = v[size:] {
		a, _ := netip.AddrFromSlice(v[:size])
		addrs = append(addrs, a)
	}
	return addrs, true
}
